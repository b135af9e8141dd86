//! Messages for unknown names, with the nearest valid one.

use strsim::osa_distance;

/// Finds the name in `known` that `name` probably stands for.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|known| (osa_distance(name, known), *known))
        .filter(|(distance, known)| *distance <= known.len() / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// Returns the message for an unknown `what`, such as ``option `colour` of `logging` ``.
pub(crate) fn unknown(what: &str, name: &str, known: &[&str]) -> String {
    let list = list(known);
    match nearest(name, known) {
        Some(nearest) => format!("unknown {what}: did you mean `{nearest}`? Known: {list}"),
        None => format!("unknown {what}. Known: {list}"),
    }
}

/// Writes names as `` `a`, `b` and `c` ``.
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
