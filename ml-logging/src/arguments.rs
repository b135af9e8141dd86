//! Types that methods of the set-up accept, each a trait whose message says what to write instead of another type.

use tracing::{Level, level_filters::LevelFilter};
use tracing_subscriber::fmt::MakeWriter;

use crate::{filter::Levels, format::Formatter};

/// Makes the writers of records: a function without arguments that returns a [`Write`](std::io::Write), or another
/// [`MakeWriter`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not make writers of records",
    label = "expected a function that returns a writer",
    note = "pass a function, such as `std::io::stdout` or `move || writer.clone()`, whose result implements \
            `std::io::Write`",
    note = "for a file, write `.file(\"records.jsonl\")`"
)]
pub trait RecordWriter: for<'a> MakeWriter<'a> + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<W: for<'a> MakeWriter<'a> + Send + Sync + 'static> RecordWriter for W {}

/// Converts into a [`Formatter`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a formatter",
    label = "expected a formatter, such as a `JsonFormatter`",
    note = "constructors and some settings of formatters return a `Result`: take its value with `?`, as in \
            `JsonFormatter::new(\"%(message)s\")?`"
)]
pub trait IntoFormatter: Into<Formatter> {}

#[diagnostic::do_not_recommend]
impl<F: Into<Formatter>> IntoFormatter for F {}

/// Levels of records: text such as `info,hyper=warn`, or one level for all targets.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not set levels",
    label = "expected levels",
    note = "levels are text, as in `\"info,hyper=warn\"`, or a `tracing::Level`"
)]
pub trait IntoLevels {
    /// Returns the levels as text.
    fn into_directives(self) -> String;
}

impl IntoLevels for String {
    fn into_directives(self) -> String {
        self
    }
}

/// Implements [`IntoLevels`] for types whose `Display` is the text.
macro_rules! into_levels {
    ($($type:ty),*) => {
        $(impl IntoLevels for $type {
            fn into_directives(self) -> String {
                self.to_string()
            }
        })*
    };
}

into_levels!(&str, &String, Level, LevelFilter, Levels);

/// Names of environment variables: one, or a list.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name environment variables",
    label = "expected a name or a list of names",
    note = "write one name, as in `\"NODE_IP\"`, or a list, as in `[\"NODE_IP\", \"POD_NAME\"]`"
)]
pub trait VariableNames {
    /// Returns the names.
    fn into_names(self) -> Vec<String>;
}

impl VariableNames for &str {
    fn into_names(self) -> Vec<String> {
        vec![self.to_owned()]
    }
}

impl<S: Into<String>> VariableNames for Vec<S> {
    fn into_names(self) -> Vec<String> {
        self.into_iter().map(Into::into).collect()
    }
}

impl<S: Into<String>, const N: usize> VariableNames for [S; N] {
    fn into_names(self) -> Vec<String> {
        self.into_iter().map(Into::into).collect()
    }
}

impl<S: Clone + Into<String>> VariableNames for &[S] {
    fn into_names(self) -> Vec<String> {
        self.iter().cloned().map(Into::into).collect()
    }
}
