//! Matching the fields that formats name with the filters that provide them.
//!
//! In Python a filter changes the record, so that later handlers see its fields, too. A formatter may therefore
//! name a field if a filter of any handler that uses the formatter provides it. For the values, the filters of the
//! handler itself come first. A formatter without a handler may name the fields of all filters: it may be
//! kept for later, or a mistake may hide which handler uses it.

use ml_configuration::{Node, Problems, nearest};

use crate::{
    config::Handler,
    filter::TargetName,
    format::{BUILT_IN, Formatter, python_attribute},
};

/// A formatter of the file.
pub(super) struct FormatterEntry<'d> {
    pub(super) name: &'d str,
    /// Node of the format, and the formatter; `None` if it is invalid.
    pub(super) formatter: Option<(Node<'d>, Formatter)>,
}

/// A filter of the file.
pub(super) struct FilterEntry<'d> {
    pub(super) name: &'d str,
    /// `None` if the filter is invalid.
    pub(super) fields: Option<Vec<(String, String)>>,
    /// Logger whose records, and those of the loggers below it, pass.
    pub(super) target: Option<TargetName>,
}

impl FilterEntry<'_> {
    /// Returns the names of its fields.
    fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().flatten().map(|(name, _)| name.as_str())
    }
}

/// A handler of the file.
pub(super) struct HandlerEntry<'d> {
    pub(super) name: &'d str,
    pub(super) node: Node<'d>,
    /// Index of the formatter.
    pub(super) formatter: Option<usize>,
    /// Indices of the filters.
    pub(super) filters: Vec<usize>,
    pub(super) filters_node: Node<'d>,
    /// `None` if it is invalid.
    pub(super) handler: Option<Handler>,
}

/// Returns the context fields of each handler.
pub(super) fn resolve(
    formatters: &[FormatterEntry<'_>],
    filters: &[FilterEntry<'_>],
    handlers: &[HandlerEntry<'_>],
    problems: &mut Problems,
) -> Vec<Vec<(String, String)>> {
    for (index, entry) in formatters.iter().enumerate() {
        let users: Vec<_> =
            handlers.iter().filter(|handler| handler.formatter == Some(index)).collect();
        if let Some((node, formatter)) = &entry.formatter {
            check(*node, formatter, &users, filters, problems);
        }
    }
    let context = |handler: &HandlerEntry<'_>| {
        let own = fields_of(handler, filters);
        let same = |other: &&HandlerEntry<'_>| {
            handler.formatter.is_some() && other.formatter == handler.formatter
        };
        let others =
            handlers.iter().filter(same).flat_map(|other| fields_of(other, filters)).collect();
        let mut context: Vec<(String, String)> = Vec::new();
        for (fields, is_own) in [(own, true), (others, false)] {
            for (name, value) in fields {
                match context.iter().find(|(known, _)| known == name) {
                    None => context.push((name.clone(), value.clone())),
                    Some((_, known)) if is_own && known != value => {
                        let message = format!(
                            "two of these filters provide the field `{name}` with different values; \
                             remove one of them"
                        );
                        handler.filters_node.report(problems, message);
                    }
                    Some(_) => {}
                }
            }
        }
        context
    };
    handlers.iter().map(context).collect()
}

/// Returns the fields of the handler's own filters.
fn fields_of<'a>(
    handler: &HandlerEntry<'_>,
    filters: &'a [FilterEntry<'_>],
) -> Vec<&'a (String, String)> {
    handler.filters.iter().filter_map(|index| filters[*index].fields.as_ref()).flatten().collect()
}

/// Reports the fields of a format that nothing provides.
fn check(
    node: Node<'_>,
    formatter: &Formatter,
    users: &[&HandlerEntry<'_>],
    filters: &[FilterEntry<'_>],
    problems: &mut Problems,
) {
    let of_users: Vec<_> = if users.is_empty() {
        filters.iter().collect()
    } else {
        users.iter().flat_map(|user| &user.filters).map(|index| &filters[*index]).collect()
    };
    // An invalid filter might provide the field. It is reported itself.
    let is_unsure = of_users.iter().any(|filter| filter.fields.is_none());
    let provided: Vec<&str> =
        of_users.iter().flat_map(|filter| filter.names()).chain(BUILT_IN).collect();
    for field in formatter.required_fields() {
        if !is_unsure && !provided.contains(&field) {
            node.report(problems, unknown(field, &provided, users, filters));
        }
    }
}

/// Returns the message for a field that nothing provides.
fn unknown(
    field: &str,
    provided: &[&str],
    users: &[&HandlerEntry<'_>],
    filters: &[FilterEntry<'_>],
) -> String {
    const HOSTNAME: &str = "hostname";
    const HOSTNAME_FILTER: &str = "{class: HostnameFilter}";
    let to = match users {
        [] => String::new(),
        [user] => format!(" to the handler `{}`", user.name),
        _ => {
            let names: Vec<_> = users.iter().map(|user| format!("`{}`", user.name)).collect();
            format!(" to one of the handlers {}", names.join(", "))
        }
    };
    let declared = |name: &str| filters.iter().find(|filter| filter.names().any(|own| own == name));
    let nothing = format!("nothing provides the field `{field}`");
    if let Some(remedy) = python_attribute(field) {
        return format!("{nothing}; only records of Python have it; {remedy}");
    }
    if let Some(filter) = declared(field) {
        return format!("{nothing}; add the filter `{}`{to}", filter.name);
    }
    let known = provided.iter().copied().chain(filters.iter().flat_map(FilterEntry::names));
    if field != HOSTNAME
        && let Some(nearest) = nearest(field, known.chain([HOSTNAME]))
    {
        let question = format!("{nothing}; did you mean `{nearest}`?");
        if provided.contains(&nearest) {
            return question;
        }
        let filter = match declared(nearest) {
            Some(filter) => format!("the filter `{}`", filter.name),
            None => format!("a filter `{HOSTNAME_FILTER}`"),
        };
        return format!("{question} If so, add {filter}{to} as well");
    }
    let filter = if field == HOSTNAME {
        let to = if to.is_empty() { to } else { format!(",{to}") };
        format!(", such as `{HOSTNAME_FILTER}`{to}")
    } else if field.contains(char::is_uppercase) {
        // No variable has a field of this name.
        to
    } else {
        let variable = field.to_uppercase();
        let filter = format!("{{class: EnvironmentInfoFilter, env_variables: [{variable}]}}");
        format!("{to}; for an environment variable write `{filter}`")
    };
    format!(
        "{nothing}; remove it, or add a filter that does{filter}; built-in fields are {}",
        BUILT_IN.join(", ")
    )
}
