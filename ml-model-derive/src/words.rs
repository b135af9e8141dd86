//! Names in other spellings, and the nearest of some names.

/// The words of a name in PascalCase or snake_case: `XGBoostModelV2` has `XG`, `Boost`, `Model`,
/// `V2`.
fn words(name: &str) -> Vec<String> {
    let chars: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (index, &c) in chars.iter().enumerate() {
        let after_lower = index > 0 && !chars[index - 1].is_uppercase();
        let before_lower = chars.get(index + 1).is_some_and(|next| next.is_lowercase());
        let starts_word = c == '_' || c.is_uppercase() && (after_lower || before_lower);
        if starts_word && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if c != '_'
            && let Some(word) = words.last_mut()
        {
            word.push(c);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// `InsuranceChargesModel` as `Insurance Charges Model`.
pub(crate) fn title(name: &str) -> String {
    words(name).join(" ")
}

/// `InsuranceChargesModel` as `insurance_charges_model`.
pub(crate) fn snake_case(name: &str) -> String {
    words(name).join("_").to_lowercase()
}

/// The one of `known` that `name` was probably meant to be.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|known| (distance(name, known), *known))
        .filter(|(distance, known)| *distance <= known.len() / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// Says that `what`, such as ``option `colour` of `logging` ``, is not one of `known`, and which of
/// them `name` was probably meant to be.
pub(crate) fn unknown(what: &str, name: &str, known: &[&str]) -> String {
    let known_ones = list(known);
    match nearest(name, known) {
        Some(nearest) => format!("unknown {what}: did you mean `{nearest}`? Known: {known_ones}"),
        None => format!("unknown {what}. Known: {known_ones}"),
    }
}

/// `` `a`, `b` and `c` ``.
pub(crate) fn list(names: &[&str]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// How many characters to insert, remove, replace, or swap with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    // `rows[i][j]` is the distance between the first `i` of `a` and the first `j` of `b`.
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_into_words() {
        for (name, words, snake) in [
            ("InsuranceChargesModel", "Insurance Charges Model", "insurance_charges_model"),
            ("IrisModelV2", "Iris Model V2", "iris_model_v2"),
            ("XGBModel", "XGB Model", "xgb_model"),
            ("Model", "Model", "model"),
            ("ML", "ML", "ml"),
            ("_Hidden_Name", "Hidden Name", "hidden_name"),
            ("ÉtéModel", "Été Model", "été_model"),
        ] {
            assert_eq!(title(name), words);
            assert_eq!(snake_case(name), snake);
        }
    }

    #[test]
    fn the_nearest_name_is_near() {
        let known = ["input_fields", "output_fields", "level"];
        assert_eq!(nearest("input_field", &known), Some("input_fields"));
        assert_eq!(nearest("ouput_feilds", &known), Some("output_fields"));
        assert_eq!(nearest("lvel", &known), Some("level"));
        assert_eq!(nearest("colour", &known), None);
        assert_eq!(nearest("wran", &["info", "warn"]), Some("warn"), "two letters swapped");
        assert_eq!(nearest("wnar", &["info", "warn"]), None);
    }

    #[test]
    fn lists_read_as_prose() {
        assert_eq!(list(&["a"]), "`a`");
        assert_eq!(list(&["a", "b", "c"]), "`a`, `b` and `c`");
    }
}
