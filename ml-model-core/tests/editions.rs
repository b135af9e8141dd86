//! Compiles the derives in crates of each edition that depend on `ml-model-core` under another name.

use std::fs;
use std::path::Path;
use std::process::Command;

const SOURCE: &str = r##"
//! A crate of a user.
#![deny(warnings, missing_docs)]

use observed::{Decorator, Infer, LogValue, MLModel};
use schemars::JsonSchema;

/// Input of the models.
#[derive(JsonSchema)]
pub struct Input {
    /// A field with the name of a later keyword.
    pub r#async: u8,
    /// A field without data.
    pub sex: Sex,
    /// A field behind an option.
    pub home: Option<Home>,
}

/// Part of the input.
#[derive(JsonSchema)]
pub struct Home {
    /// Postal code.
    pub zip: String,
}

/// Enum without data.
#[derive(Clone, Copy, JsonSchema, LogValue)]
#[log_value(crate = "observed")]
pub enum Sex {
    /// A name.
    Female,
    /// Another one.
    Male,
}

/// Decorator of the crate.
pub struct Own;

impl<M: MLModel> Decorator<M> for Own {}

/// Model.
#[derive(Debug, MLModel)]
#[ml_model(crate = ::observed, execution = inline)]
#[decorate(Own)]
#[decorate(metrics)]
#[decorate(prediction_id)]
#[decorate(logging(input_fields = ["async", sex, "home.zip", redacted(home.zip) as zip], sample = 0.5))]
pub struct Model;

/// Generic model.
#[derive(Debug, MLModel)]
#[ml_model(crate = "::observed")]
#[decorate(Own)]
#[decorate(metrics)]
#[decorate(logging(input_fields = ["async", sex, home.zip]))]
pub struct Generic<T>(pub T);

macro_rules! infer {
    ($($implementation:tt)*) => {
        $($implementation)* {
            type Input = Input;
            type Output = u8;
            type Error = String;

            fn infer(&self, input: &Input) -> Result<u8, String> {
                Ok(input.r#async)
            }
        }
    };
}

infer!(impl Infer for Model);
infer!(impl<T> Infer for Generic<T>);
"##;

#[test]
fn the_derives_compile_in_every_edition() {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("editions");
    let core = Path::new(env!("CARGO_MANIFEST_DIR"));
    let editions = ["2018", "2021", "2024"];
    write(&root.join("Cargo.toml"), "[workspace]\nresolver = \"2\"\nmembers = [\"edition-*\"]\n");
    let lock = fs::read(core.join("../Cargo.lock")).expect("the workspace has a lock file");
    fs::write(root.join("Cargo.lock"), lock).expect("the folder is writable");
    for edition in editions {
        let package = root.join(format!("edition-{edition}"));
        let manifest = format!(
            "[package]\nname = \"edition-{edition}\"\nversion = \"1.0.0\"\nedition = \"{edition}\"\n\n\
             [dependencies]\nobserved = {{ package = \"ml-model-core\", path = {core:?} }}\n\
             schemars = {{ version = \"1\", default-features = false, features = [\"derive\", \"std\"] }}\n"
        );
        write(&package.join("Cargo.toml"), &manifest);
        write(&package.join("src/lib.rs"), SOURCE);
    }
    let output = Command::new(env!("CARGO"))
        .args(["check", "--offline", "--workspace", "--target-dir"])
        .arg(root.join("target"))
        .current_dir(&root)
        .env_remove("RUSTFLAGS")
        .env("CARGO_INCREMENTAL", "0")
        .output()
        .expect("cargo runs the tests");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn write(path: &Path, text: &str) {
    let folder = path.parent().expect("the path has a folder");
    fs::create_dir_all(folder).expect("the folder is writable");
    fs::write(path, text).expect("the folder is writable");
}
