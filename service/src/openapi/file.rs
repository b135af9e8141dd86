//! The document as a file.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Reason why the document could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    #[error("`{}` is neither JSON nor YAML by its name: let it end in .json, .yaml or .yml", file.display())]
    Extension { file: PathBuf },
    #[error("the document cannot be written as {format}")]
    Format { format: &'static str, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("cannot write `{}`", file.display())]
    Write { file: PathBuf, source: io::Error },
}

/// Writes `document` to `file`, as JSON or YAML by the extension of the file.
///
/// # Errors
///
/// Fails for another extension, or if the file cannot be written.
pub(crate) fn write(document: &Value, file: &Path) -> Result<(), WriteError> {
    let extension = file.extension().map(|extension| extension.to_ascii_lowercase());
    let text = match extension.as_ref().and_then(|extension| extension.to_str()) {
        Some("json") => serde_json::to_string_pretty(document)
            .map(|text| text + "\n")
            .map_err(|source| WriteError::Format { format: "JSON", source: source.into() }),
        Some("yaml" | "yml") => serde_saphyr::to_string(document)
            .map_err(|source| WriteError::Format { format: "YAML", source: source.into() }),
        _ => Err(WriteError::Extension { file: file.to_owned() }),
    }?;
    std::fs::write(file, text).map_err(|source| WriteError::Write { file: file.to_owned(), source })
}
