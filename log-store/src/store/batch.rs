//! The predictions of one transaction. The two records of a prediction are nearly always close to each
//! other, so that most predictions are joined here and written once.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::record::Outcome;

/// The id of a prediction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Id {
    /// A UUID in its usual form.
    Uuid([u8; 16]),
    /// Any other text.
    Text(Box<str>),
}

impl Id {
    /// Makes an id of the text in a record.
    pub(crate) fn new(text: &str) -> Self {
        uuid(text.as_bytes()).map_or_else(|| Self::Text(text.into()), Self::Uuid)
    }
}

/// Parses a UUID in lower case with hyphens. Other spellings are texts, so that an id is shown as it was
/// logged.
fn uuid(text: &[u8]) -> Option<[u8; 16]> {
    let text: &[u8; 36] = text.try_into().ok()?;
    let mut uuid = [0; 16];
    let mut at = 0;
    for byte in &mut uuid {
        if matches!(at, 8 | 13 | 18 | 23) {
            if text[at] != b'-' {
                return None;
            }
            at += 1;
        }
        *byte = hex(text[at])? << 4 | hex(text[at + 1])?;
        at += 2;
    }
    Some(uuid)
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// A record of a prediction: its template, and the members that are not part of it.
#[derive(Debug)]
pub(crate) struct Half {
    pub(crate) template: u32,
    /// Microseconds since the start of the day.
    pub(crate) at: i64,
    pub(crate) fields: Box<str>,
    pub(crate) extra: Box<str>,
}

/// The end of a prediction, as its second record states it.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) outcome: Outcome,
    pub(crate) duration_ns: Option<i64>,
    pub(crate) error: Option<Box<str>>,
    pub(crate) weight: f64,
}

/// A prediction whose records have been read since the last transaction.
#[derive(Debug)]
pub(crate) struct Prediction {
    pub(crate) id: Option<Id>,
    pub(crate) thread: Option<u64>,
    pub(crate) model: Box<str>,
    pub(crate) request: Option<Half>,
    pub(crate) answer: Option<(Half, End)>,
    /// Index of an older open prediction with the same id: of an outer decorator or model.
    outer: Option<usize>,
}

impl Prediction {
    pub(crate) fn new(id: Option<Id>, thread: Option<u64>, model: &str) -> Self {
        Self { id, thread, model: model.into(), request: None, answer: None, outer: None }
    }
}

/// A record that is not one of a prediction.
#[derive(Debug)]
pub(crate) struct OtherRecord {
    pub(crate) at: i64,
    pub(crate) level: Box<str>,
    pub(crate) logger: Box<str>,
    pub(crate) message: Box<str>,
    pub(crate) instance: Box<str>,
    pub(crate) prediction_id: Option<Box<str>>,
    pub(crate) line: Box<str>,
}

/// A line that is no record.
#[derive(Debug)]
pub(crate) struct RejectedLine {
    pub(crate) at: i64,
    pub(crate) source: Box<str>,
    pub(crate) line: Box<str>,
}

/// Everything that one transaction writes, except for the positions of the sources.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) predictions: Vec<Prediction>,
    open_by_id: HashMap<Id, usize, RandomState>,
    open_by_thread: HashMap<u64, usize, RandomState>,
    pub(crate) others: Vec<OtherRecord>,
    pub(crate) rejected: Vec<RejectedLine>,
    /// Lines taken.
    pub(crate) lines: usize,
}

impl Batch {
    /// Adds the first record of a prediction.
    pub(crate) fn add_request(&mut self, mut prediction: Prediction, request: Half) {
        let index = self.predictions.len();
        prediction.request = Some(request);
        match (&prediction.id, prediction.thread) {
            (Some(id), _) => {
                prediction.outer = self.open_by_id.insert(id.clone(), index);
            }
            // Python's services log the id of a request as null if they have made it themselves.
            (None, Some(thread)) => drop(self.open_by_thread.insert(thread, index)),
            (None, None) => {}
        }
        self.predictions.push(prediction);
    }

    /// Adds the second record of a prediction. Joins it with the first if that is in this batch.
    pub(crate) fn add_answer(&mut self, prediction: Prediction, answer: Half, end: End) {
        match self.open(&prediction) {
            Some(index) => {
                let open = &mut self.predictions[index];
                open.answer = Some((answer, end));
                open.id = open.id.take().or(prediction.id);
            }
            None => self.predictions.push(Prediction { answer: Some((answer, end)), ..prediction }),
        }
    }

    /// Removes the open prediction of an answer: the innermost one of the same id and model, or the last
    /// one without an id on the same thread.
    fn open(&mut self, answer: &Prediction) -> Option<usize> {
        if let Some(id) = &answer.id {
            let mut index = self.open_by_id.get(id).copied();
            let mut inner: Option<usize> = None;
            while let Some(at) = index {
                let outer = self.predictions[at].outer;
                if self.predictions[at].model == answer.model {
                    match (inner, outer) {
                        (Some(inner), _) => self.predictions[inner].outer = outer,
                        (None, Some(outer)) => drop(self.open_by_id.insert(id.clone(), outer)),
                        (None, None) => drop(self.open_by_id.remove(id)),
                    }
                    return Some(at);
                }
                (inner, index) = (Some(at), outer);
            }
        }
        let thread = answer.thread?;
        let index = *self.open_by_thread.get(&thread)?;
        if self.predictions[index].model != answer.model {
            return None;
        }
        self.open_by_thread.remove(&thread)
    }

    /// Returns whether the request of an answer may be in this batch.
    pub(crate) fn has_request(&self, id: Option<&Id>, thread: Option<u64>) -> bool {
        id.is_some_and(|id| self.open_by_id.contains_key(id))
            || thread.is_some_and(|thread| self.open_by_thread.contains_key(&thread))
    }

    /// Returns whether there is nothing to write.
    pub(crate) fn is_empty(&self) -> bool {
        self.lines == 0
    }
}
