//! Compares the compiler's messages about mistakes in annotations with `ui/*/*.stderr`.
//!
//! The messages depend on the compiler, so the test is ignored for other versions. To update them,
//! run `TRYBUILD=overwrite cargo test -p ml-model-core --test ui` and review the diff. The page
//! `docs/mistakes.md` lists them; `UPDATE_MISTAKES=1` writes it.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

#[rustversion::attr(not(stable(1.95)), ignore = "the expected messages are those of Rust 1.95")]
#[test]
fn messages() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*/*.rs");
}

#[test]
fn the_page_lists_the_messages() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut page = String::from(
        "# Mistakes and messages\n\nThe compiler's messages about mistakes in annotations. Each has the code that it \
         points to.\n\nThis page is generated from `ml-model-core/tests/ui`: \
         `UPDATE_MISTAKES=1 cargo test -p ml-model-core --test ui page` writes it.\n",
    );
    for topic in sorted(&root.join("tests/ui"), None) {
        let messages = sorted(&topic, Some("stderr"));
        if messages.is_empty() {
            continue;
        }
        let name = |path: &Path| path.file_stem().unwrap().to_string_lossy().replace('_', " ");
        write!(page, "\n## {}\n\n| mistake | code | message |\n|---|---|---|\n", name(&topic))
            .unwrap();
        for path in messages {
            let text = fs::read_to_string(&path).unwrap();
            for (code, message) in text.split("\n\nerror").map(code_and_message) {
                writeln!(page, "| {} | {} | {} |", name(&path), cell(&code), cell(&message))
                    .unwrap();
            }
        }
    }
    let path = root.join("../docs/mistakes.md");
    if env::var_os("UPDATE_MISTAKES").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == page,
        "docs/mistakes.md is out of date: run the test with UPDATE_MISTAKES=1"
    );
}

/// Lists a directory: its directories, or its files with an extension.
fn sorted(directory: &Path, extension: Option<&str>) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    let mut paths: Vec<_> =
        entries.map(|entry| entry.expect("the directory is readable").path()).collect();
    paths.retain(|path| match extension {
        Some(extension) => path.extension().is_some_and(|found| found == extension),
        None => path.is_dir(),
    });
    paths.sort();
    paths
}

/// Returns the code that a message of rustc marks with `^`, and the message with its own helps and notes.
fn code_and_message(block: &str) -> (String, String) {
    let lines: Vec<&str> = block.lines().collect();
    let marks =
        lines.iter().position(|line| line.trim_start().starts_with("| ") && line.contains('^'));
    let code = marks.map(|marks| {
        let is_marked = |(_, mark): &(char, char)| *mark == '^';
        let marked = lines[marks - 1].chars().zip(lines[marks].chars());
        let marked = marked.skip_while(|pair| !is_marked(pair)).take_while(is_marked);
        format!("`` {} ``", marked.map(|(code, _)| code).collect::<String>())
    });
    let (_, message) = lines[0].split_once(": ").expect("a message has a colon");
    let notes = lines.iter().filter_map(|line| line.trim_start().strip_prefix("= note: "));
    let notes = notes
        .filter(|note| !note.starts_with("this error originates") && !note.starts_with("required"));
    // Other helps begin with an article and point to other code.
    let helps = lines.iter().filter_map(|line| line.strip_prefix("help: "));
    let helps = helps.filter(|help| !help.starts_with("the ") && !help.starts_with("a "));
    let message = [message].into_iter().chain(helps).chain(notes).collect::<Vec<_>>().join("; ");
    (code.unwrap_or_default(), message)
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
