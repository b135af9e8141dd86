//! Spill files, each of which must be its handler's alone: it is emptied again and again.

use ml_configuration::Problems;

use super::{Handler, fields::HandlerEntry};
use crate::{Error, place::Place};

/// The handlers whose spill file something else is written to as well, by their indices, and what.
fn shared(handlers: &[Option<&Handler>]) -> Vec<(usize, String)> {
    let spills: Vec<_> = handlers
        .iter()
        .enumerate()
        .filter_map(|(index, handler)| {
            let handler = (*handler)?;
            Some((index, &handler.name, Place::of(&handler.spill()?.file)))
        })
        .collect();
    if spills.is_empty() {
        return Vec::new();
    }
    let logs: Vec<_> = handlers
        .iter()
        .flatten()
        .filter_map(|handler| Some((&handler.name, handler.place()?)))
        .collect();
    let problem = |number: usize| {
        let (index, _, own) = &spills[number];
        if let Some((name, _)) = logs.iter().find(|(_, log)| log == own) {
            return Some((*index, format!("the handler `{name}` writes its records to it")));
        }
        let (_, name, _) = spills[..number].iter().find(|(.., other)| other == own)?;
        Some((*index, format!("the handler `{name}` has it, too")))
    };
    (0..spills.len()).filter_map(problem).collect()
}

/// Looks at the handlers of a file.
pub(super) fn check_entries(handlers: &[HandlerEntry<'_>], problems: &mut Problems) {
    let all: Vec<_> = handlers.iter().map(|entry| entry.handler.as_ref()).collect();
    for (index, problem) in shared(&all) {
        let entry = &handlers[index];
        let node = entry.spill_file.unwrap_or(entry.node);
        node.report(problems, format!("{problem}; name another file"));
    }
}

/// Looks at handlers before any of them opens anything.
pub(super) fn check(handlers: &[Handler]) -> Result<(), Error> {
    let all: Vec<_> = handlers.iter().map(Some).collect();
    let Some((index, problem)) = shared(&all).into_iter().next() else { return Ok(()) };
    let handler = &handlers[index];
    let path = handler.spill().map(|spill| spill.file.clone()).unwrap_or_default();
    Err(Error::SharedSpillFile { handler: handler.name.clone(), path, problem })
}
