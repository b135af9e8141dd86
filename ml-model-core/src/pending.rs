//! Pending predictions, which a program that cannot wait for them abandons.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The predictions of a program that have their first record and not yet their last one.
///
/// [`Context::set_pending`](crate::Context::set_pending) adds a prediction. A program that cannot wait for its
/// predictions, such as at the end of a time limit, [abandons](Self::abandon) them, so that each has its last
/// record.
#[derive(Default)]
pub struct PendingCalls(Mutex<State>);

#[derive(Default)]
struct State {
    /// The reason, once the calls are abandoned.
    abandoned: Option<String>,
    last: u64,
    calls: BTreeMap<u64, RecordEnd>,
}

/// Writes the last record of a call with a reason.
type RecordEnd = Box<dyn FnOnce(&str) + Send>;

impl PendingCalls {
    /// Writes the record `Prediction exception.` of each pending prediction, with the reason as its
    /// `error_info`. Predictions that finish later have no further record. Those that begin later are abandoned
    /// at once.
    ///
    /// Returns the number of records.
    pub fn abandon(&self, reason: &str) -> usize {
        let mut state = self.lock();
        state.abandoned.get_or_insert_with(|| reason.to_owned());
        let calls = std::mem::take(&mut state.calls);
        drop(state);
        let count = calls.len();
        calls.into_values().for_each(|record| record(reason));
        count
    }

    /// Adds a call. `record` writes its last record if it is abandoned.
    pub(crate) fn begin(self: &Arc<Self>, record: impl FnOnce(&str) + Send + 'static) -> Pending {
        let mut state = self.lock();
        state.last += 1;
        let number = state.last;
        match state.abandoned.clone() {
            None => drop(state.calls.insert(number, Box::new(record))),
            Some(reason) => {
                drop(state);
                record(&reason);
            }
        }
        Pending { calls: self.clone(), number }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No operation under the lock leaves it inconsistent.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for PendingCalls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingCalls").field("calls", &self.lock().calls.len()).finish()
    }
}

/// A call among [`PendingCalls`].
pub(crate) struct Pending {
    calls: Arc<PendingCalls>,
    number: u64,
}

impl Pending {
    /// Removes the call. Returns `false` if it was abandoned, and thus has its last record already.
    pub(crate) fn end(&self) -> bool {
        self.calls.lock().calls.remove(&self.number).is_some()
    }
}
