//! Styles of format strings.

/// Syntax of the fields in a format string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FormatStyle {
    /// `%(message)s`; `%%` is a percent sign.
    #[default]
    Percent,
    /// `{message}`; `{{` and `}}` are braces.
    Brace,
    /// `$message` or `${message}`; `$$` is a dollar sign.
    Dollar,
    /// `asctime,message`: only names.
    Comma,
}
