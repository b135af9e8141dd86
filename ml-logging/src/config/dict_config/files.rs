//! Checks that the files of handlers can be opened. No file is created, emptied or changed.

use std::{
    fs::{self, OpenOptions},
    io::{self, ErrorKind},
    path::{self, Path},
};

use ml_configuration::{Node, Problems};

/// Reports the files that cannot be opened.
pub(crate) fn check(node: Node<'_>, problems: &mut Problems) {
    // Mistakes in the structure are reported by `read`.
    let mut unread = Problems::new();
    let Some(mut root) = node.mapping(&mut unread) else { return };
    let handlers = root.optional("handlers").and_then(|node| node.mapping(&mut unread));
    let Some(mut handlers) = handlers else { return };
    for (_, handler) in handlers.entries() {
        let Some(mut keys) = handler.mapping(&mut unread) else { continue };
        if let Some(node) = keys.optional("filename")
            && let Some(name) = node.string(&mut unread)
            && let Some(message) = mistake(name, node.is_variable())
        {
            node.report(problems, message);
        }
    }
}

/// Returns the reason why a file cannot be opened. A folder in which no files can be created is not detected.
fn mistake(name: &str, is_hidden: bool) -> Option<String> {
    let path = Path::new(name);
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Some(IS_FOLDER.to_owned()),
        Ok(found) if found.is_file() => {
            OpenOptions::new().append(true).open(path).err().map(cannot_open)
        }
        // Opening a pipe would wait for its reader.
        Ok(_) => None,
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
