//! Checks that the files of handlers can be opened, and differ from those that the program reads. No file is
//! created, emptied or changed.

use std::{
    fs::{self, OpenOptions},
    io::{self, ErrorKind},
    path::{self, Path},
};

use ml_configuration::{Node, Problems};

use super::python;
use crate::sink;

/// Reports the files that cannot be opened, or that are one of the files in `read`. Each of these has a
/// description for messages, such as `the configuration file`.
pub(crate) fn check(node: Node<'_>, read: &[(&str, &Path)], problems: &mut Problems) {
    // Mistakes in the structure are reported by `read`.
    let mut unread = Problems::new();
    let resolved = python::resolve(node, &mut unread);
    let node = resolved.as_ref().map_or(node, |(document, _)| document.root());
    let Some(mut root) = node.mapping(&mut unread) else { return };
    let handlers = root.optional("handlers").and_then(|node| node.mapping(&mut unread));
    let Some(mut handlers) = handlers else { return };
    for (_, handler) in handlers.entries() {
        let Some(mut keys) = handler.mapping(&mut unread) else { continue };
        if let Some(node) = keys.optional("filename")
            && let Some(name) = node.string(&mut unread)
        {
            let used = read.iter().find(|(_, file)| is_touched(Path::new(name), file));
            let message = match used {
                Some((what, _)) => Some(format!(
                    "the log would overwrite {what}, or its rotation would; name another file"
                )),
                None => mistake(name, node.is_variable()),
            };
            if let Some(message) = message {
                node.report(problems, message);
            }
        }
    }
}

/// Returns whether a file is a log file, or has the name of one of its old files. The suffixes of old files have
/// digits and no letters, for every class of handler.
fn is_touched(log: &Path, file: &Path) -> bool {
    if is_same(log, file) {
        return true;
    }
    let suffix = || {
        let (log, file) = (log.file_name()?.to_str()?, file.file_name()?.to_str()?);
        file.strip_prefix(log)?.strip_prefix('.')
    };
    let is_number = |suffix: &str| suffix.bytes().all(|byte| b"0123456789-_.".contains(&byte));
    let folder = |path: &Path| path::absolute(path).ok()?.parent().map(Path::to_owned);
    suffix().is_some_and(is_number)
        && folder(log).zip(folder(file)).is_some_and(|(log, file)| is_same(&log, &file))
}

/// Returns whether two paths lead to the same file.
fn is_same(one: &Path, other: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let id = |path| fs::metadata(path).map(|file| (file.dev(), file.ino())).ok();
        id(one).is_some_and(|own| Some(own) == id(other))
    }
    #[cfg(not(unix))]
    fs::canonicalize(one).is_ok_and(|own| fs::canonicalize(other).is_ok_and(|other| own == other))
}

/// Returns the reason why a file cannot be opened. A folder in which no files can be created is not detected.
fn mistake(name: &str, is_hidden: bool) -> Option<String> {
    let path = Path::new(name);
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Some(IS_FOLDER.to_owned()),
        Ok(found) if found.is_file() => {
            OpenOptions::new().append(true).open(path).err().map(cannot_open)
        }
        // A pipe is not opened here: its reader would read an end of file when this check closes it.
        Ok(found) if sink::is_stream(found.file_type()) => None,
        Ok(_) => Some("this is neither a file nor a writable stream; name another file".to_owned()),
        Err(error) if error.kind() != ErrorKind::NotFound => Some(cannot_open(error)),
        // Reported by `read`.
        Err(_) if name.is_empty() => None,
        Err(_) if name.ends_with(path::is_separator) => Some(IS_FOLDER.to_owned()),
        // A dangling link: opening it creates the file.
        Err(_) if path.is_symlink() => None,
        Err(_) => without_folder(path, is_hidden),
    }
}

fn without_folder(path: &Path, is_hidden: bool) -> Option<String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty())?;
    match fs::metadata(folder) {
        Ok(found) if found.is_dir() => return None,
        Err(error) if error.kind() != ErrorKind::NotFound => return Some(cannot_open(error)),
        _ => {}
    }
    let which = if is_hidden {
        "its folder".to_owned()
    } else {
        format!("the folder `{}`", folder.display())
    };
    let origin = if folder.is_absolute() { "" } else { " in the working directory" };
    Some(format!("{which} does not exist{origin}; create it, or name another file"))
}

const IS_FOLDER: &str = "this is a folder; name a file in it";

fn cannot_open(error: io::Error) -> String {
    format!("the file cannot be opened: {error}; allow writing to it, or name another file")
}
