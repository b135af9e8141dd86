//! Suggestions for misspelt keys and words.

use crate::problems::shortened;

/// Returns the candidate nearest to `word` if it is near enough to be a typing mistake.
///
/// ```
/// use ml_configuration::nearest;
///
/// assert_eq!(nearest("loging", ["models", "logging"]), Some("logging"));
/// assert_eq!(nearest("metrics", ["models", "logging"]), None);
/// ```
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let near = |candidate| Some((distance(word, candidate)?, candidate));
    let nearest = candidates.into_iter().filter_map(near).min_by_key(|(distance, _)| *distance);
    nearest.map(|(_, candidate)| candidate)
}

/// Returns the number of typing mistakes between two words; `None` if they are too many.
fn distance(word: &str, candidate: &str) -> Option<usize> {
    let (word, candidate) = without_common_kind(word, candidate);
    let length = word.chars().count();
    // Less than the whole word: any letter can be replaced by any other.
    let allowed = (length / 3).max(1).min(length.saturating_sub(1));
    // The lengths alone rule out a word of megabytes before its distance is computed.
    if candidate.chars().count().abs_diff(length) > allowed {
        return None;
    }
    let distance = strsim::osa_distance(&word.to_lowercase(), &candidate.to_lowercase());
    (distance <= allowed).then_some(distance)
}

/// Removes the last part of two names such as `JsonFormatter` if both have the same. It is the kind of both, so
/// that it does not count as a similarity.
fn without_common_kind<'w>(word: &'w str, candidate: &'w str) -> (&'w str, &'w str) {
    let kind = word.rfind(|c: char| c.is_ascii_uppercase()).map(|start| &word[start..]);
    let stems =
        kind.and_then(|kind| Some((word.strip_suffix(kind)?, candidate.strip_suffix(kind)?)));
    stems.filter(|(own, other)| !own.is_empty() && !other.is_empty()).unwrap_or((word, candidate))
}

/// Builds the message on a key that is not valid. The key is shown only if `shown` is set.
pub(crate) fn unknown_key<S: AsRef<str>>(key: &str, shown: bool, valid: &[S]) -> String {
    let mut message = unknown("key", key, shown);
    match nearest(key, valid.iter().map(AsRef::as_ref)) {
        Some(nearest) => message.push_str(&format!("; did you mean `{nearest}`?")),
        None if valid.is_empty() => message.push_str("; this mapping takes no keys"),
        None => message.push_str(&format!("; valid are {}", quoted(valid))),
    }
    message
}

/// Builds the message on a word that is not one of a closed list, called `what`.
pub(crate) fn unknown_word(what: &str, word: &str, shown: bool, valid: &[&str]) -> String {
    let mut message = unknown(what, word, shown);
    match nearest(word, valid.iter().copied()) {
        _ if valid.is_empty() => message.push_str("; none is defined"),
        Some(nearest) => {
            message.push_str(&format!("; did you mean `{nearest}`?"));
            if valid.len() > 1 {
                message.push_str(&format!(" Valid are {}", quoted(valid)));
            }
        }
        None => message.push_str(&format!("; valid are {}", quoted(valid))),
    }
    message
}

fn unknown(what: &str, word: &str, shown: bool) -> String {
    if shown { format!("unknown {what} `{}`", shortened(word)) } else { format!("unknown {what}") }
}

pub(crate) fn quoted<S: AsRef<str>>(words: &[S]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{}`", word.as_ref())).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mistake_is_near_enough() {
        for word in ["mesage", "messgae", "massage", "messagee", "MESSAGE"] {
            assert_eq!(nearest(word, ["message"]), Some("message"), "{word}");
        }
    }

    #[test]
    fn only_near_names_are_suggested() {
        let names = ["hostname", "levelname", "lineno"];
        assert_eq!(nearest("hostnam", names), Some("hostname"));
        assert_eq!(nearest("levlname", names), Some("levelname"));
        assert_eq!(nearest("node_ip", names), None);
        assert_eq!(nearest("r", ["a", "w"]), None);
        assert_eq!(nearest("", ["a"]), None);
        let classes = ["EcsFormatter", "JsonFormatter", "FileHandler", "OtlpHandler"];
        for word in ["AccessFormatter", "RichHandler", "HTTPHandler", "ColorFormatter"] {
            assert_eq!(nearest(word, classes), None, "{word}");
        }
        for (word, meant) in [("JsnFormatter", "JsonFormatter"), ("JsonFormater", "JsonFormatter")]
        {
            assert_eq!(nearest(word, classes), Some(meant));
        }
    }
}
