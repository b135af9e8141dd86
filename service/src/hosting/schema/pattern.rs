//! Regular expressions of schemas.

use regex::Regex;

/// A regular expression of ECMA-262. Its matching takes time linear in the length of the text, which
/// excludes look-around and back-references.
#[derive(Debug)]
pub(crate) struct Pattern {
    regex: Regex,
    /// The expression as the schema writes it.
    pub(super) source: String,
}

impl Pattern {
    /// Compiles an expression.
    ///
    /// # Errors
    ///
    /// Fails with the reason if it is not valid, or uses look-around or back-references.
    pub(crate) fn new(source: &str) -> Result<Self, String> {
        match Regex::new(&translated(source)) {
            Ok(regex) => Ok(Self { regex, source: source.to_owned() }),
            Err(error) => {
                let reason = error.to_string();
                let reason = reason.lines().last().unwrap_or_default();
                let reason = reason.strip_prefix("error: ").unwrap_or(reason);
                Err(format!("`{source}` is not a regular expression: {reason}"))
            }
        }
    }

    /// Returns whether the expression matches a part of the text.
    pub(crate) fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

/// Writes an expression of ECMA-262 in the syntax of `regex`. There `\d` and `\w` mean ASCII only, `[` in a
/// class is a plain character, and `&&` and `~~` have no meaning.
fn translated(source: &str) -> String {
    let mut regex = String::with_capacity(source.len());
    let mut is_in_class = false;
    let mut characters = source.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('d') => regex.push_str("[0-9]"),
                Some('D') => regex.push_str("[^0-9]"),
                Some('w') => regex.push_str("[A-Za-z0-9_]"),
                Some('W') => regex.push_str("[^A-Za-z0-9_]"),
                Some('0') => regex.push_str(r"\x00"),
                Some(escaped) => regex.extend(['\\', escaped]),
                None => regex.push('\\'),
            },
            '[' | '&' | '~' if is_in_class => regex.extend(['\\', character]),
            _ => {
                is_in_class = character == '[' || is_in_class && character != ']';
                regex.push(character);
            }
        }
    }
    regex
}
