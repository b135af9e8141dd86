//! Reports of log files that cannot be opened, before any is opened.

use std::{
    fs::{self, OpenOptions},
    os::unix::{
        fs::{PermissionsExt as _, symlink},
        net::UnixListener,
    },
    path::Path,
    process::Command,
};

use ml_configuration::{Document, Problems};
use ml_logging::Configuration;

/// Returns the mistakes in the files of a document, without the names of document and folder.
fn mistakes(document: &Document, folder: &Path) -> Vec<String> {
    let mut problems = Problems::new();
    Configuration::check_files(document.root(), &[], &mut problems);
    let folder = folder.to_str().unwrap();
    problems.iter().map(|problem| problem.to_string()[2..].replace(folder, "/folder")).collect()
}

/// Returns the mistakes of a handler with this file.
fn of_file(folder: &Path, name: &str) -> Vec<String> {
    let text = format!("handlers: {{h: {{class: FileHandler, mode: w, filename: {name:?}}}}}");
    let mistakes = mistakes(&Document::parse("f", &text).unwrap(), folder).into_iter();
    mistakes.map(|line| line.strip_prefix("1: handlers.h.filename: ").unwrap().to_owned()).collect()
}

#[test]
fn every_file_is_checked_and_none_is_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display();
    fs::write(folder.path().join("log"), "kept\n").unwrap();
    let modified = || folder.path().join("log").metadata().unwrap().modified().unwrap();
    let before = modified();
    let text = format!(
        "handlers:
  there: {{class: FileHandler, filename: {path}/log, mode: w}}
  new: {{class: FileHandler, filename: {path}/new}}
  nowhere: {{class: FileHandler, filename: {path}/nowhere/log}}
  size: {{class: RotatingFileHandler, filename: {path}}}
  time: {{class: TimedRotatingFileHandler, filename: {path}/log/log}}
  device: {{class: FileHandler, filename: /dev/null}}
"
    );
    let document = Document::parse("f", &text).unwrap();
    assert_eq!(
        mistakes(&document, folder.path()),
        [
            "4: handlers.nowhere.filename: the folder `/folder/nowhere` does not exist; create it, or \
             name another file",
            "5: handlers.size.filename: this is a folder; name a file in it",
            "6: handlers.time.filename: the file cannot be opened: Not a directory (os error 20); \
             allow writing to it, or name another file",
        ]
    );
    let mut names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["log"]);
    assert_eq!(fs::read_to_string(folder.path().join("log")).unwrap(), "kept\n");
    assert_eq!(modified(), before);
}

#[test]
fn names_of_all_kinds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let here = "does not exist in the working directory; create it, or name another file";
    assert_eq!(of_file(folder.path(), "logs/a/x.log"), [format!("the folder `logs/a` {here}")]);
    assert_eq!(of_file(folder.path(), "x.log"), [""; 0]);
    for name in [".", "..", "logs/", path] {
        assert_eq!(of_file(folder.path(), name), ["this is a folder; name a file in it"], "{name}");
    }

    // Links are followed. Opening a dangling link creates its target.
    symlink(path, folder.path().join("to_folder")).unwrap();
    symlink(format!("{path}/new"), folder.path().join("to_new")).unwrap();
    assert_eq!(of_file(folder.path(), &format!("{path}/to_folder")).len(), 1);
    assert_eq!(of_file(folder.path(), &format!("{path}/to_new")), [""; 0]);
    assert!(!folder.path().join("new").exists());

    // Opening a pipe without a reader would block.
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert_eq!(of_file(folder.path(), pipe.to_str().unwrap()), [""; 0]);
    let socket = folder.path().join("socket");
    let _listener = UnixListener::bind(&socket).unwrap();
    assert_eq!(
        of_file(folder.path(), socket.to_str().unwrap()),
        ["this is neither a file nor a writable stream; name another file"]
    );

    let fixed = folder.path().join("fixed");
    fs::write(&fixed, "").unwrap();
    fs::set_permissions(&fixed, fs::Permissions::from_mode(0o444)).unwrap();
    // Root may write to any file.
    let error = OpenOptions::new().append(true).open(&fixed).err();
    let expected = error.map(|error| {
        format!("the file cannot be opened: {error}; allow writing to it, or name another file")
    });
    assert_eq!(of_file(folder.path(), fixed.to_str().unwrap()), Vec::from_iter(expected));
}

#[test]
fn other_mistakes_are_left_to_the_reader() {
    for text in [
        "",
        "[]",
        "handlers:",
        "handlers: [a]",
        "handlers: {h: }",
        "handlers: {h: {filename: }, i: {filename: ''}, j: {filename: 1}}",
    ] {
        let document = Document::parse("f", text).unwrap();
        assert_eq!(mistakes(&document, Path::new("-")), [""; 0], "{text}");
    }
}

#[test]
fn the_value_of_a_variable_is_not_shown() {
    let mut document = Document::parse("f", "handlers: {h: {class: FileHandler}}").unwrap();
    let variable = ("L__HANDLERS__H__FILENAME".to_owned(), "/secret/x.log".to_owned());
    document.override_from("L", [variable]).unwrap();
    let mut problems = Problems::new();
    Configuration::check_files(document.root(), &[], &mut problems);
    assert_eq!(
        problems.to_string(),
        "environment variable L__HANDLERS__H__FILENAME: handlers.h.filename: its folder does not \
         exist; create it, or name another file"
    );
}

#[test]
fn log_files_cannot_overwrite_files_that_the_program_reads() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    for name in ["keys", "keys.1", "config.yaml", "config.2026-11-28"] {
        fs::write(file(name), "").unwrap();
    }
    symlink(file("keys"), file("link")).unwrap();
    fs::hard_link(file("keys"), file("other_name")).unwrap();
    let message = |log: &str, read: &str| {
        let text = format!("handlers: {{h: {{filename: {:?}}}}}", file(log));
        let document = Document::parse("f", &text).unwrap();
        let mut problems = Problems::new();
        let read = file(read);
        Configuration::check_files(document.root(), &[("the keys", &read)], &mut problems);
        problems.to_string()
    };
    let expected = "f:1: handlers.h.filename: the log would overwrite the keys, or its rotation would; \
                    name another file";
    for (log, read) in [
        ("keys", "keys"),
        ("link", "keys"),
        ("other_name", "keys"),
        ("keys", "link"),
        ("./keys", "keys"),
        // Names of old files.
        ("keys", "keys.1"),
        ("config", "config.2026-11-28"),
    ] {
        assert_eq!(message(log, read), expected, "{log} {read}");
    }
    for (log, read) in
        [("log", "keys"), ("config", "config.yaml"), ("keys", "keys1"), ("log", "none")]
    {
        assert_eq!(message(log, read), "", "{log} {read}");
    }
    // Relative names are those of the working directory.
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let document = Document::parse("f", "handlers: {h: {filename: Cargo.toml}}").unwrap();
    let mut problems = Problems::new();
    Configuration::check_files(document.root(), &[("the keys", &manifest)], &mut problems);
    assert!(!problems.is_empty());
}

#[test]
fn a_configuration_that_is_its_own_log_file_is_refused_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logging.yaml");
    let text = format!(
        "version: 1\nhandlers: {{h: {{class: FileHandler, mode: w, filename: {path:?}}}}}\n\
         root: {{handlers: [h]}}\n"
    );
    fs::write(&path, &text).unwrap();
    let problems = Configuration::from_file(&path, &ml_logging::Filters::new()).unwrap_err();
    assert!(problems.to_string().contains("overwrite the configuration file"), "{problems}");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}
