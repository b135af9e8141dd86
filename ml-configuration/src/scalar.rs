//! Types of scalars without quotes.
//!
//! The scalars are those of the core schema of YAML 1.2. The files may have been written for
//! PyYAML, which implements YAML 1.1: a word that is a different number in the two versions is
//! refused.

/// A scalar without quotes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scalar {
    Null,
    Boolean(bool),
    /// An integer, or the reason why it is refused.
    Integer(Result<i128, &'static str>),
    Number(f64),
    Text,
}

pub(crate) const TOO_LARGE: &str = "the integer is too large";
const LEADING_ZERO: &str = "an integer that begins with 0 is octal in YAML 1.1 and decimal in YAML \
     1.2; write it without the 0, or as 0o17 if it is octal, or in quotes if it is text";

pub(crate) fn resolve(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "true" | "True" | "TRUE" => Scalar::Boolean(true),
        "false" | "False" | "FALSE" => Scalar::Boolean(false),
        ".nan" | ".NaN" | ".NAN" => Scalar::Number(f64::NAN),
        _ => integer(text).map(Scalar::Integer).or_else(|| number(text)).unwrap_or(Scalar::Text),
    }
}

/// Resolves a scalar where a number is expected: digits may be grouped by `_`, as in YAML 1.1.
pub(crate) fn resolve_number(text: &str) -> Scalar {
    match resolve(text) {
        Scalar::Text if text.contains('_') && !text.starts_with('_') => {
            resolve(&text.replace('_', ""))
        }
        scalar => scalar,
    }
}

/// Reads a boolean of YAML 1.1, as PyYAML does.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text {
        "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => match resolve(text) {
            Scalar::Boolean(value) => Some(value),
            _ => None,
        },
    }
}

fn integer(text: &str) -> Option<Result<i128, &'static str>> {
    let radix = |digits: &str, radix| {
        (!digits.is_empty() && digits.chars().all(|c| c.is_digit(radix)))
            .then(|| i128::from_str_radix(digits, radix).map_err(|_| TOO_LARGE))
    };
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if digits.len() > 1 && digits.starts_with('0') {
        return Some(Err(LEADING_ZERO));
    }
    Some(text.parse().map_err(|_| TOO_LARGE))
}

fn number(text: &str) -> Option<Scalar> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if let ".inf" | ".Inf" | ".INF" = digits {
        let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
        return Some(Scalar::Number(sign * f64::INFINITY));
    }
    // `inf` and `nan` are words in YAML and numbers in Rust.
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    text.parse().ok().map(Scalar::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_core_schema() {
        for text in ["", "~", "null", "Null", "NULL"] {
            assert_eq!(resolve(text), Scalar::Null, "{text}");
        }
        for (text, value) in [("true", true), ("True", true), ("FALSE", false)] {
            assert_eq!(resolve(text), Scalar::Boolean(value), "{text}");
        }
        for (text, value) in [("0", 0), ("-19", -19), ("+7", 7), ("0x1F", 31), ("0o17", 15)] {
            assert_eq!(resolve(text), Scalar::Integer(Ok(value)), "{text}");
        }
        for (text, value) in [
            ("1.5", 1.5),
            ("-.5", -0.5),
            ("2.", 2.0),
            ("1e3", 1000.0),
            ("+12.3E-1", 1.23),
            ("-.INF", f64::NEG_INFINITY),
        ] {
            assert_eq!(resolve(text), Scalar::Number(value), "{text}");
        }
        assert!(matches!(resolve(".nan"), Scalar::Number(value) if value.is_nan()));
        for text in [
            "nan", "inf", "-", "+", ".", "e5", "1_000", "12:30", "0x", "0x+1", "0o9", "yes",
            "nULL", "1.2.3", "tru", "- 1", " 1", "٣",
        ] {
            assert_eq!(resolve(text), Scalar::Text, "{text}");
        }
    }

    #[test]
    fn refused_integers_have_a_reason() {
        assert_eq!(resolve("0777"), Scalar::Integer(Err(LEADING_ZERO)));
        assert_eq!(resolve("-00"), Scalar::Integer(Err(LEADING_ZERO)));
        assert_eq!(resolve(&"9".repeat(40)), Scalar::Integer(Err(TOO_LARGE)));
    }

    #[test]
    fn numbers_of_pyyaml_may_have_groups() {
        assert_eq!(resolve_number("10_485_760"), Scalar::Integer(Ok(10_485_760)));
        assert_eq!(resolve_number("-1_0"), Scalar::Integer(Ok(-10)));
        assert_eq!(resolve_number("1_000.5"), Scalar::Number(1000.5));
        for text in ["_1", "_", "a_b", "1_a", "tr_ue"] {
            assert!(matches!(resolve_number(text), Scalar::Text | Scalar::Boolean(_)), "{text}");
        }
    }

    #[test]
    fn booleans_of_pyyaml() {
        for (text, value) in [("yes", true), ("On", true), ("NO", false), ("true", true)] {
            assert_eq!(boolean(text), Some(value), "{text}");
        }
        for text in ["y", "n", "1", "", "yEs", "truth"] {
            assert_eq!(boolean(text), None, "{text}");
        }
    }
}
