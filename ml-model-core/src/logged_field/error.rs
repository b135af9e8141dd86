//! The errors of logged fields.

/// Reason why a field cannot be logged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldError {
    /// The text does not have the form of a field.
    #[error("`{text}` is not a field: expected `age`, `address.zip` or `bmi as body_mass_index`")]
    Syntax {
        /// The text.
        text: String,
    },
    /// Every record already contains a key of this name.
    #[error("every record has its own `{key}`: {}", rename(key, *is_renamed))]
    Reserved {
        /// The key.
        key: String,
        /// Whether the key is given with `as`.
        is_renamed: bool,
    },
    /// Another field has the same key.
    #[error("{}", repeated(key, *is_renamed))]
    Repeated {
        /// The key.
        key: String,
        /// Whether the key is given with `as`.
        is_renamed: bool,
    },
    /// The schema has no such field.
    #[error("unknown field `{name}`; valid are {}", quoted(known))]
    Unknown {
        /// The unknown segment of the path.
        name: String,
        /// The valid names.
        known: Vec<String>,
    },
    /// The path leads through a single value.
    #[error("{} is {kind} and has no fields", subject(of.as_deref()))]
    NoFields {
        /// Name of that value; `None` for the input or output itself.
        of: Option<String>,
        /// Kind of the value, such as `an object`.
        kind: &'static str,
    },
    /// The field is not a single value.
    #[error("{} is {kind}, which is not a single value: name {remedy}", subject(name.as_deref()))]
    NotLoggable {
        /// Name of the field; `None` for the input or output itself.
        name: Option<String>,
        /// Kind of the value, such as `an object`.
        kind: &'static str,
        /// The fields to name instead.
        remedy: &'static str,
    },
    /// The field is a list, or inside a list.
    #[error("{} is a list: lists cannot be logged", subject(name.as_deref()))]
    List {
        /// Name of the list; `None` for the input or output itself.
        name: Option<String>,
    },
}

/// Names a field in a message.
fn subject(name: Option<&str>) -> String {
    name.map_or_else(|| "the value".to_owned(), |name| format!("`{name}`"))
}

fn rename(key: &str, is_renamed: bool) -> String {
    if is_renamed {
        "choose another name".to_owned()
    } else {
        format!("rename the field, as in `{key} as {key}_value`")
    }
}

fn repeated(key: &str, is_renamed: bool) -> String {
    if is_renamed {
        format!("another field is already named `{key}`: choose another name")
    } else {
        format!(
            "`{key}` is listed twice: remove one of them, or rename it, as in `{key} as other_name`"
        )
    }
}

fn quoted(names: &[String]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
