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
    let length = word.chars().count();
    // Less than the whole word: any letter can be replaced by any other.
    let allowed = (length / 3).max(1).min(length.saturating_sub(1));
    let word = word.to_lowercase();
    candidates
        .into_iter()
        // The lengths alone rule out a word of megabytes before its distance is computed.
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= allowed)
        .map(|candidate| (strsim::osa_distance(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
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

fn quoted<S: AsRef<str>>(words: &[S]) -> String {
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
    }
}
