//! Failed predictions by cause.

use std::collections::HashMap;
use std::time::Instant;

use rusqlite::params;
use serde::Serialize;

use super::reader::{QueryError, Reader};
use super::row::{id_text, templates, timestamp};
use super::series::Scope;
use super::time_range::TimeRange;

/// Maximum number of causes. Further ones are counted together.
const CAUSES: usize = 1000;

/// The answer.
#[derive(Debug, Serialize)]
pub(crate) struct Failures {
    /// The cause with the newest failure first.
    pub(crate) failures: Vec<Failure>,
    /// Whether the time limit sufficed for the whole range. The newest days are read first.
    pub(crate) is_complete: bool,
}

/// Failures with the same cause.
#[derive(Debug, Serialize)]
pub(crate) struct Failure {
    /// The error with `#` for words with digits, which are different each time.
    pub(crate) cause: String,
    pub(crate) model: String,
    pub(crate) count: u64,
    pub(crate) first_at: String,
    pub(crate) last_at: String,
    /// The newest one.
    pub(crate) example: Example,
}

/// A failed prediction.
#[derive(Debug, Serialize)]
pub(crate) struct Example {
    pub(crate) prediction_id: Option<String>,
    pub(crate) key: String,
    pub(crate) error_info: Option<String>,
}

struct Group {
    count: u64,
    first: i64,
    last: i64,
    example: Example,
}

/// Groups the failures of a range by cause.
///
/// # Errors
///
/// Fails if the store cannot be read.
pub(crate) fn failures(
    reader: &Reader,
    range: TimeRange,
    scope: &Scope,
) -> Result<Failures, QueryError> {
    let deadline = reader.deadline();
    let mut groups: HashMap<(String, String), Group> = HashMap::new();
    let mut is_complete = true;
    for day in reader.days(range)? {
        if !is_complete {
            break;
        }
        reader.read(day, |connection| {
            let templates = templates(connection)?;
            let sql = "SELECT seq, id, at, error, answer FROM predictions INDEXED BY failed_predictions \
                       WHERE status = 2 AND at >= ? AND at < ? ORDER BY seq DESC";
            let mut statement = connection.prepare(sql)?;
            let start = day.start();
            let mut rows = statement.query(params![range.from - start, range.to - start])?;
            let mut checked = 0_u32;
            while let Some(row) = rows.next()? {
                checked += 1;
                if checked.is_multiple_of(1000) && Instant::now() > deadline {
                    is_complete = false;
                    break;
                }
                let Some(template) = templates.get(&row.get(4)?) else { continue };
                if !scope.has(&template.model, &template.version, &template.instance) {
                    continue;
                }
                let at = start + row.get::<_, i64>(2)?;
                let error: Option<String> = row.get(3)?;
                let mut key = (template.model.clone(), cause(error.as_deref().unwrap_or_default()));
                if groups.len() >= CAUSES && !groups.contains_key(&key) {
                    key = (String::new(), "(other causes)".to_owned());
                }
                let example = |seq: i64| -> rusqlite::Result<Example> {
                    let prediction_id = id_text(row.get_ref(1)?);
                    Ok(Example { prediction_id, key: format!("{day}.{seq}"), error_info: error.clone() })
                };
                match groups.get_mut(&key) {
                    Some(group) => {
                        group.count += 1;
                        group.first = group.first.min(at);
                        if at > group.last {
                            group.last = at;
                            group.example = example(row.get(0)?)?;
                        }
                    }
                    None => {
                        let example = example(row.get(0)?)?;
                        groups.insert(key, Group { count: 1, first: at, last: at, example });
                    }
                }
            }
            Ok(())
        })?;
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by(|(a_key, a), (b_key, b)| b.last.cmp(&a.last).then_with(|| a_key.cmp(b_key)));
    let failures = groups.into_iter().map(|((model, cause), group)| Failure {
        cause,
        model,
        count: group.count,
        first_at: timestamp(group.first),
        last_at: timestamp(group.last),
        example: group.example,
    });
    Ok(Failures { failures: failures.collect(), is_complete })
}

/// Returns what errors with the same cause have in common: words with digits are numbers, ids and times.
fn cause(error: &str) -> String {
    const LONGEST: usize = 300;
    let mut cause = String::new();
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut rest = error;
    while !rest.is_empty() && cause.len() < LONGEST {
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let word = &rest[..end];
        if word.contains(|c: char| c.is_ascii_digit()) {
            cause.push('#');
            // A full stop at the end belongs to the sentence.
            if word.ends_with('.') {
                cause.push('.');
            }
        } else {
            cause.push_str(word);
        }
        rest = &rest[end..];
        let end = rest.find(is_word).unwrap_or(rest.len());
        cause.push_str(&rest[..end]);
        rest = &rest[end..];
    }
    if !rest.is_empty() {
        cause.push('…');
    }
    cause
}

#[cfg(test)]
mod tests {
    use super::cause;

    #[test]
    fn a_cause_has_no_numbers_and_ids() {
        for (error, expected) in [
            (
                "the model cannot predict for age 17: tree 3 is missing",
                "the model cannot predict for age #: tree # is missing",
            ),
            ("no row 05351f67-d5bd-4302-b762-1d9dfe251f99.", "no row #."),
            ("timeout after 1.5s", "timeout after #"),
            (
                "panic: index out of bounds: the len is 3 but the index is 5",
                "panic: index out of bounds: the len is # but the index is #",
            ),
            ("", ""),
        ] {
            assert_eq!(cause(error), expected);
        }
    }
}
