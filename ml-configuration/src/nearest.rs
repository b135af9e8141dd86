//! "Did you mean …?" for names that a person has typed.

/// The candidate nearest to `word`, if it is near enough to be a slip of the pen.
///
/// ```
/// use ml_configuration::nearest;
///
/// assert_eq!(nearest("loging", ["models", "logging"]), Some("logging"));
/// assert_eq!(nearest("metrics", ["models", "logging"]), None);
/// ```
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let length = word.chars().count();
    // Never all of it: every letter is one step away from every other.
    let allowed = (length / 3).max(1).min(length.saturating_sub(1));
    candidates
        .into_iter()
        // The distance is never smaller; a word of megabytes must not get as far as `distance`.
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= allowed)
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many characters must be inserted, removed, replaced or swapped with their neighbour to
/// turn one name into the other, upper and lower case being the same (optimal string alignment).
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().flat_map(char::to_lowercase).collect();
    let right: Vec<char> = right.chars().flat_map(char::to_lowercase).collect();
    let mut rows: Vec<Vec<usize>> = vec![(0..=right.len()).collect()];
    for i in 1..=left.len() {
        let mut row = vec![i];
        for j in 1..=right.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(left[i - 1] != right[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_single_slips() {
        assert_eq!(distance("message", "message"), 0);
        assert_eq!(distance("mesage", "message"), 1);
        assert_eq!(distance("messgae", "message"), 1);
        assert_eq!(distance("LevelName", "levelname"), 0);
        assert_eq!(distance("", "abc"), 3);
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
