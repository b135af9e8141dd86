//! Writes the crates that are compared.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::{Kind, Package, Result};

/// Fields of every input: name, type and an example.
const FIELDS: [(&str, &str, &str); 20] = [
    ("outcome", "u8", "outcome"),
    ("age", "u8", "42"),
    ("income", "f64", "51_250.5"),
    ("balance", "f64", "-1_204.25"),
    ("is_member", "bool", "true"),
    ("region", "String", "\"southwest\".to_owned()"),
    ("children", "u32", "2"),
    ("visits", "u64", "118"),
    ("profession", "String", "\"teacher\".to_owned()"),
    ("height_m", "f64", "1.78"),
    ("weight_kg", "f64", "72.5"),
    ("is_smoker", "bool", "false"),
    ("contract_months", "u16", "24"),
    ("claims", "i64", "3"),
    ("claimed_amount", "f64", "830.75"),
    ("vehicle", "String", "\"estate\".to_owned()"),
    ("vehicle_year", "i32", "2019"),
    ("distance_km", "f64", "14_000.0"),
    ("discount", "f64", "0.15"),
    ("has_garage", "bool", "true"),
];

/// Writes the workspace of all packages into `folder`.
pub(crate) fn write(folder: &Path, packages: &[Package]) -> Result<()> {
    let benches = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::create_dir_all(folder)?;
    // The dependencies have the versions of the other benchmarks.
    fs::copy(benches.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    let root = benches.join("..").canonicalize()?;
    fs::write(folder.join("Cargo.toml"), workspace(&root, packages))?;
    write_crate(
        &folder.join("program"),
        "[package]\nname = \"program\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [dependencies]\ntracing.workspace = true\n",
        &[("lib.rs".to_owned(), include_str!("../templates/program.rs").to_owned())],
    )?;
    for package in packages {
        let mut sources: Vec<_> = (0..package.models)
            .map(|number| (format!("model_{number:03}.rs"), model(package.kind, number)))
            .collect();
        sources.push(("main.rs".to_owned(), main(package)));
        if package.kind == Kind::ByHand {
            let observed = include_str!("../templates/observed.rs");
            sources.push(("observed.rs".to_owned(), observed.to_owned()));
        }
        write_crate(&folder.join(package.name), &manifest(package), &sources)?;
    }
    Ok(())
}

fn write_crate(folder: &Path, manifest: &str, sources: &[(String, String)]) -> Result<()> {
    fs::create_dir_all(folder.join("src"))?;
    fs::write(folder.join("Cargo.toml"), manifest)?;
    for (name, source) in sources {
        fs::write(folder.join("src").join(name), source)?;
    }
    Ok(())
}

fn workspace(root: &Path, packages: &[Package]) -> String {
    let members: Vec<_> = packages.iter().map(|package| format!("{:?}", package.name)).collect();
    format!(
        r#"[workspace]
resolver = "3"
members = ["program", {members}]

[workspace.dependencies]
program = {{ path = "program" }}
ml-model-core = {{ path = {core:?} }}
schemars = {{ version = "1.2.3", default-features = false, features = ["derive", "std", "preserve_order"] }}
serde = {{ version = "1.0.228", features = ["derive"] }}
tracing = {{ version = "0.1.44", default-features = false, features = ["std"] }}
uuid = {{ version = "1.29.3", default-features = false, features = ["std", "v4", "fast-rng"] }}

[profile.release]
strip = true
"#,
        members = members.join(", "),
        core = root.join("ml-model-core"),
    )
}

fn manifest(package: &Package) -> String {
    let own = match package.kind {
        Kind::Annotated => "ml-model-core.workspace = true\n",
        Kind::ByHand => "tracing.workspace = true\nuuid.workspace = true\n",
    };
    format!(
        "[package]\nname = {:?}\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n\
         program.workspace = true\nschemars.workspace = true\nserde.workspace = true\n{own}",
        package.name
    )
}

fn main(package: &Package) -> String {
    let mut source = String::new();
    if package.kind == Kind::ByHand {
        source.push_str("mod observed;\n");
    }
    let mut calls = String::new();
    for number in 0..package.models {
        let _ = writeln!(source, "mod model_{number:03};");
        let _ = writeln!(calls, "        model_{number:03}::call,");
    }
    source + "\nfn main() {\n    program::run(&[\n" + &calls + "    ]);\n}\n"
}

/// Returns the module of one model: its types and, after them, the model of the template.
fn model(kind: Kind, number: usize) -> String {
    let template = match kind {
        Kind::Annotated => include_str!("../templates/annotated.rs"),
        Kind::ByHand => include_str!("../templates/by_hand.rs"),
    };
    let mut source = include_str!("../templates/types.rs").to_owned() + template;
    let joined = |separator: &str, of: fn(&(&str, &str, &str)) -> String| {
        FIELDS.iter().map(of).collect::<Vec<_>>().join(separator)
    };
    let declared = joined("\n    ", |(name, kind, _)| format!("pub {name}: {kind},"));
    let examples = joined("\n            ", |(name, _, example)| format!("{name}: {example},"));
    let listed = joined(", ", |(name, ..)| format!("{name:?}"));
    let event = joined("\n            ", |(name, kind, _)| match *kind {
        "String" => format!("{name} = input.{name}.as_str(),"),
        _ => format!("{name} = input.{name},"),
    });
    for (placeholder, text) in [
        ("DECLARED", declared),
        ("EXAMPLES", examples),
        ("LISTED", listed),
        ("EVENT", event),
        ("FACTOR", format!("{number}.25")),
        ("NNN", format!("{number:03}")),
    ] {
        source = source.replace(placeholder, &text);
    }
    source
}
