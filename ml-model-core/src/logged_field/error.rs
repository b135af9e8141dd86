//! The errors of logged fields.

use crate::policy::Policy;

/// Reason why a field cannot be logged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldError {
    /// The text does not have the form of a field.
    #[error(
        "`{text}` is not a field: expected `age`, `address.zip`, `bmi as body_mass_index` or \
         `hashed(customer_id)`"
    )]
    Syntax {
        /// The text.
        text: String,
    },
    /// Every record already contains a key of this name.
    #[error("every record has its own `{key}`: {}", rename(key, field.as_deref()))]
    Reserved {
        /// The key.
        key: String,
        /// The field with its policy; `None` if the key is given with `as`.
        field: Option<String>,
    },
    /// Another field has the same key.
    #[error("{}", repeated(key, field.as_deref()))]
    Repeated {
        /// The key.
        key: String,
        /// The field with its policy; `None` if the key is given with `as`.
        field: Option<String>,
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
    /// The field is sensitive and has no policy.
    #[error(
        "`{path}` is sensitive: write {}`redacted({path})` for \"[REDACTED]\" or `hashed({path})` for a \
         keyed digest", buckets(path, *is_number)
    )]
    Sensitive {
        /// Path of the field.
        path: String,
        /// Whether the field may be a number.
        is_number: bool,
    },
    /// There is no such policy.
    #[error("unknown policy `{name}`; valid are {}", quoted(&Policy::NAMES.map(str::to_owned)))]
    UnknownPolicy {
        /// The name.
        name: String,
    },
    /// A policy is written as the key of a field.
    #[error("`{policy}` is a policy: write `{policy}({path}{})`", width(policy))]
    PolicyAsKey {
        /// Name of the policy.
        policy: String,
        /// Path of the field.
        path: String,
    },
    /// The policy takes a field only.
    #[error("`{policy}` takes one field and nothing else")]
    Arguments {
        /// Name of the policy.
        policy: String,
    },
    /// The policy `bucketed` has no width.
    #[error("`bucketed` needs the width of its buckets, as in `bucketed({path}, 10)`")]
    NoWidth {
        /// Path of the field.
        path: String,
    },
    /// The width is not a number above zero.
    #[error("`{width}` is not a width of buckets: expected a number above 0, such as 10 or 0.5")]
    Width {
        /// The text in place of the width.
        width: String,
    },
    /// The policy `bucketed` takes numbers only.
    #[error("`{path}` is not a number and has no buckets: use `redacted` or `hashed`")]
    NotANumber {
        /// Path of the field.
        path: String,
    },
    /// Buckets of integers have a whole width.
    #[error("`{path}` is an integer: its buckets need a whole width, such as 10")]
    DecimalWidth {
        /// Path of the field.
        path: String,
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

fn buckets(path: &str, is_number: bool) -> String {
    if is_number {
        format!("`bucketed({path}, 10)` for the lower bound of the number's bucket, ")
    } else {
        String::new()
    }
}

fn width(policy: &str) -> &'static str {
    if policy == "bucketed" { ", 10" } else { "" }
}

fn rename(key: &str, field: Option<&str>) -> String {
    match field {
        None => "choose another name".to_owned(),
        Some(field) => format!("rename the field, as in `{field} as {key}_value`"),
    }
}

fn repeated(key: &str, field: Option<&str>) -> String {
    match field {
        None => format!("another field is already named `{key}`: choose another name"),
        Some(field) => format!(
            "`{key}` is listed twice: remove one of them, or rename it, as in `{field} as other_name`"
        ),
    }
}

fn quoted(names: &[String]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
