//! The document as a file.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde_json::Value;

/// Reason why the document could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    #[error(
        "`{}` exists and was not written by this command: remove it, or choose another file with \
         --output-file",
        file.display()
    )]
    Foreign { file: PathBuf },
    #[error("the document cannot be written as {format}")]
    Format { format: &'static str, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("cannot write `{}`", file.display())]
    Write { file: PathBuf, source: io::Error },
}

/// Member of a written document by which the next run recognises it.
const MARK: &str = "x-generated-by";

/// Writes `document` to `file`: as JSON if the name ends in `.json`, else as YAML.
///
/// # Errors
///
/// Fails if the file has other content than a document written before, or cannot be written.
pub(crate) fn write(document: &Value, file: &Path) -> Result<(), WriteError> {
    let failed = |source| WriteError::Write { file: file.to_owned(), source };
    // A pipe or a device has no content to lose.
    if file.is_file() {
        let content = fs::read(file).map_err(failed)?;
        let is_ours = content.is_empty()
            || content.windows(MARK.len()).any(|window| window == MARK.as_bytes());
        if !is_ours {
            return Err(WriteError::Foreign { file: file.to_owned() });
        }
    }
    let mut document = document.clone();
    document[MARK] = "generate-openapi".into();
    let is_json = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let text = if is_json {
        serde_json::to_string_pretty(&document)
            .map(|text| text + "\n")
            .map_err(|source| WriteError::Format { format: "JSON", source: source.into() })
    } else {
        serde_saphyr::to_string(&document)
            .map_err(|source| WriteError::Format { format: "YAML", source: source.into() })
    }?;
    fs::write(file, text).map_err(failed)
}
