//! Records with neither an id nor a thread, as a Python service with a short format logs them. The order
//! of the records is all that joins them, which is certain only while one prediction is under way.

use std::collections::HashMap;

use foldhash::fast::RandomState;

/// Time after which predictions count as abandoned, in microseconds. Without it, one request that never
/// gets an answer would keep all later ones apart.
const ABANDONED_US: i64 = 3_600_000_000;

/// Predictions under way, by a hash that identifies their logger.
#[derive(Default)]
pub(super) struct Unthreaded {
    loggers: HashMap<u64, UnderWay, RandomState>,
}

/// Predictions under way.
#[derive(Default)]
struct UnderWay {
    count: u32,
    /// Time of the first request since none was under way.
    since: i64,
    /// Whether there were several at a time since then. No answer can be assigned.
    is_ambiguous: bool,
}

impl Unthreaded {
    /// Notes a request.
    pub(super) fn request(&mut self, logger: u64, at: i64) {
        let open = self.loggers.entry(logger).or_default();
        if open.count > 0 && at - open.since <= ABANDONED_US {
            open.count += 1;
            open.is_ambiguous = true;
        } else {
            *open = UnderWay { count: 1, since: at, is_ambiguous: open.count > 0 };
        }
    }

    /// Notes an answer.
    pub(super) fn answer(&mut self, logger: u64) {
        if let Some(open) = self.loggers.get_mut(&logger) {
            open.count = open.count.saturating_sub(1);
            open.is_ambiguous &= open.count > 0;
        }
    }

    /// Returns whether the next answer is certainly that of the last request.
    pub(super) fn is_certain(&self, logger: u64) -> bool {
        self.loggers.get(&logger).is_some_and(|open| open.count == 1 && !open.is_ambiguous)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(unthreaded: &mut Unthreaded, logger: u64) -> bool {
        let is_certain = unthreaded.is_certain(logger);
        unthreaded.answer(logger);
        is_certain
    }

    #[test]
    fn predictions_at_the_same_time_are_kept_apart_until_all_have_an_answer() {
        let mut unthreaded = Unthreaded::default();
        unthreaded.request(1, 0);
        assert!(answer(&mut unthreaded, 1));
        unthreaded.request(1, 1);
        unthreaded.request(2, 2);
        unthreaded.request(1, 2);
        assert!(!answer(&mut unthreaded, 1));
        assert!(answer(&mut unthreaded, 2));
        assert!(!answer(&mut unthreaded, 1));
        assert!(!answer(&mut unthreaded, 1));
        unthreaded.request(1, 3);
        assert!(answer(&mut unthreaded, 1));
    }

    #[test]
    fn an_abandoned_prediction_does_not_keep_later_ones_apart() {
        let mut unthreaded = Unthreaded::default();
        unthreaded.request(1, 0);
        for (at, expected) in
            [(ABANDONED_US, false), (ABANDONED_US + 1, false), (ABANDONED_US + 2, true)]
        {
            unthreaded.request(1, at);
            assert_eq!(answer(&mut unthreaded, 1), expected, "{at}");
        }
    }
}
