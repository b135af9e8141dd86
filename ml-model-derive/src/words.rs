//! Names in other spellings, and corrections of misspelt names.

use heck::ToSnakeCase;
use strsim::osa_distance;

/// `InsuranceChargesModel` as `Insurance Charges Model`. Capital letters stay as they are.
pub(crate) fn title(name: &str) -> String {
    let mut letters = name.chars().filter(|c| *c != '_');
    let snake = snake_case(name);
    let words = snake.split('_');
    words
        .map(|word| letters.by_ref().take(word.chars().count()).collect())
        .collect::<Vec<String>>()
        .join(" ")
}

/// `InsuranceChargesModel` as `insurance_charges_model`.
pub(crate) fn snake_case(name: &str) -> String {
    name.to_snake_case()
}

/// Finds the name in `known` that `name` probably stands for.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|known| (osa_distance(name, known), *known))
        .filter(|(distance, known)| *distance <= known.len() / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// Message for an unknown `what`, such as ``option `colour` of `logging` ``, with the nearest of the
/// `known` names.
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
