//! Counts the predictions of every model, for whoever exports metrics.
//!
//! [`MetricsDecorator`] counts; [`snapshot`] is the read side. There is no metrics library in
//! between: the counts are plain atomics in one list per process, by qualified name and version of
//! the model. What they mean to Prometheus:
//!
//! | family | labels | here |
//! |---|---|---|
//! | `model_predictions_total`, a counter | `model`, `version`, `status` = `success` or `error` | [`PredictionCounts::succeeded`], [`PredictionCounts::failed`] |
//! | `model_prediction_duration_seconds`, a histogram | `model`, `version` | [`PredictionCounts::durations`] |
//!
//! ```
//! use ml_model_core::{Infer, MLModel, metrics};
//!
//! #[derive(MLModel)]
//! #[decorate(metrics)]
//! struct SumModel;
//!
//! impl Infer for SumModel {
//!     type Input = Vec<f64>;
//!     type Output = f64;
//!     type Error = std::convert::Infallible;
//!
//!     fn infer(&self, input: &Vec<f64>) -> Result<f64, Self::Error> {
//!         Ok(input.iter().sum())
//!     }
//! }
//!
//! SumModel.predict(vec![1.0, 2.0])?;
//! let counts = metrics::snapshot().find(|counts| counts.model == "sum_model");
//! assert_eq!(counts.map(|counts| counts.succeeded), Some(1));
//! # Ok::<(), ml_model_core::PredictionError>(())
//! ```

use std::mem;
use std::ops::Deref;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::append_list::AppendList;
use crate::decorator::{Decorated, Decorator};
use crate::model::{Answer, MLModel};
use crate::registry::JsonForm;
use crate::request::Request;

/// Upper bounds of the buckets of [`PredictionCounts::durations`]: 1, 2.5 and 5 per decade from a
/// microsecond, which a small tree takes, to 50 seconds, past the patience of most callers.
pub const DURATION_BOUNDS: &[Duration] = &BOUNDS;

const BOUNDS: [Duration; 24] = {
    let mut bounds = [Duration::ZERO; 24];
    let mut decade = 1_000;
    let mut index = 0;
    while index < bounds.len() {
        bounds[index] = Duration::from_nanos(decade);
        bounds[index + 1] = Duration::from_nanos(decade / 2 * 5);
        bounds[index + 2] = Duration::from_nanos(decade * 5);
        decade *= 10;
        index += 3;
    }
    bounds
};

/// Every model counted by a decorator of this process.
static MODELS: AppendList<Counters> = AppendList::new();

/// Counts the predictions of a model by outcome, and their durations.
///
/// A prediction has failed if it ends in an error, whoever returned it, or in a panic, which goes on
/// unwinding. So has a request that is refused for its input.
///
/// A call is counted once: a decorator inside of another one leaves it to that, also if the two know
/// the model under different names because of a decorator between them. (A decorator that calls
/// its model with a [`Context`](crate::Context) of its own makes another call.) Decorators of models
/// of the same qualified name and version add to the same counts.
///
/// A prediction costs two readings of the clock and two relaxed atomic additions. It allocates
/// nothing and takes no lock. Only the first one registers the model, by the name and version that
/// it has then.
#[derive(Debug, Default)]
pub struct MetricsDecorator {
    counters: OnceLock<&'static Counters>,
}

impl MetricsDecorator {
    /// Registers the model when it is first called.
    #[must_use]
    pub const fn new() -> Self {
        Self { counters: OnceLock::new() }
    }

    /// Registers the model at once, so that it is exported before its first prediction.
    #[must_use]
    pub fn of<M: MLModel>(model: &M) -> Self {
        Self { counters: OnceLock::from(Counters::of(model)) }
    }

    /// Begins to count a call, unless somebody outside does.
    #[inline]
    fn begin<I>(
        &self,
        model: &impl MLModel,
        request: &mut Request<I>,
        now: impl FnOnce() -> Instant,
    ) -> Option<Count> {
        if request.context().is_counted() {
            return None;
        }
        request.context_mut().set_counted();
        let counters = self.counters.get_or_init(|| Counters::of(model));
        Some(Count { counters, of: &counters.failed, started: now() })
    }
}

/// A model in JSON form keeps its ways past [`Value`] when it is counted.
impl<M: JsonForm> JsonForm for Decorated<MetricsDecorator, M> {
    fn call_to_text(&self, mut request: Request<Value>) -> Answer<Vec<u8>> {
        let count = self.decorator().begin(self.deref(), &mut request, Instant::now);
        Count::end(count, self.deref().call_to_text(request))
    }

    fn call_text<'t>(
        &self,
        mut request: Request<&'t str>,
    ) -> Result<Answer<Vec<u8>>, Request<&'t str>> {
        let count = self.decorator().begin(self.deref(), &mut request, Instant::now);
        match self.deref().call_text(request) {
            Ok(answer) => Ok(Count::end(count, answer)),
            Err(mut request) => {
                // It was no call yet.
                if let Some(count) = count {
                    mem::forget(count);
                    request.context_mut().clear_counted();
                }
                Err(request)
            }
        }
    }
}

impl<M: MLModel> Decorator<M> for MetricsDecorator {
    #[inline]
    fn call(&self, model: &M, mut request: Request<M::Input>) -> Answer<M::Output> {
        let count = self.begin(model, &mut request, Instant::now);
        Count::end(count, model.call(request))
    }

    fn call_batch(
        &self,
        model: &M,
        mut requests: Vec<Request<M::Input>>,
    ) -> Vec<Answer<M::Output>> {
        // A row takes as long as its batch.
        let started = Instant::now();
        let counts: Vec<_> =
            requests.iter_mut().map(|request| self.begin(model, request, || started)).collect();
        let answers = model.call_batch(requests);
        counts.into_iter().zip(answers).map(|(count, answer)| Count::end(count, answer)).collect()
    }

    fn takes_batches(&self) -> bool {
        true
    }
}

/// Counts a prediction when it is dropped: also when a panic passes by.
struct Count {
    counters: &'static Counters,
    of: &'static Histogram,
    started: Instant,
}

impl Count {
    /// Ends what [`MetricsDecorator::begin`] has begun.
    #[inline]
    fn end<O>(count: Option<Self>, mut answer: Answer<O>) -> Answer<O> {
        if let (Some(mut count), Ok(prediction)) = (count, &mut answer) {
            count.of = &count.counters.succeeded;
            // The context may go on to another call.
            prediction.context_mut().clear_counted();
        }
        answer
    }
}

impl Drop for Count {
    #[inline]
    fn drop(&mut self) {
        self.of.observe(self.started.elapsed());
    }
}

/// The counts of one model. Each outcome has its own histogram, whose total is the number of
/// predictions: nothing that is exported can contradict itself or go backwards.
#[derive(Debug)]
struct Counters {
    model: Box<str>,
    version: Box<str>,
    succeeded: Histogram,
    failed: Histogram,
}

impl Counters {
    #[cold]
    fn of(model: &impl MLModel) -> &'static Self {
        let metadata = model.metadata();
        let (name, version) = (&*metadata.qualified_name, &*metadata.version);
        MODELS.find_or_add(
            |known| *known.model == *name && *known.version == *version,
            || Self {
                model: name.into(),
                version: version.into(),
                succeeded: Histogram::new(DURATION_BOUNDS),
                failed: Histogram::new(DURATION_BOUNDS),
            },
        )
    }
}

/// The counts of every model of this process that a [`MetricsDecorator`] knows, in the order in
/// which they were registered.
pub fn snapshot() -> impl Iterator<Item = PredictionCounts> {
    MODELS.iter().map(|counters| {
        let (succeeded, failed) = (counters.succeeded.snapshot(), counters.failed.snapshot());
        PredictionCounts {
            model: &counters.model,
            version: &counters.version,
            succeeded: succeeded.count(),
            failed: failed.count(),
            durations: succeeded.merged(failed),
        }
    })
}

/// What a [`MetricsDecorator`] has counted, at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PredictionCounts {
    /// Qualified name of the model.
    pub model: &'static str,
    /// Version of the model.
    pub version: &'static str,
    /// Predictions made.
    pub succeeded: u64,
    /// Predictions that ended in an error or a panic, and requests refused for their input.
    pub failed: u64,
    /// How long all of them took.
    pub durations: HistogramSnapshot,
}

/// Counts durations by size. Shared between threads without a lock.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [Duration],
    /// One more than there are bounds.
    buckets: Box<[AtomicU64]>,
    /// In nanoseconds; enough for 584 years.
    sum: AtomicU64,
}

impl Histogram {
    /// A histogram with a bucket up to each of the bounds, which ascend, and one for all beyond.
    #[must_use]
    pub fn new(bounds: &'static [Duration]) -> Self {
        let buckets = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds, buckets, sum: AtomicU64::new(0) }
    }

    /// Counts a duration.
    #[inline]
    pub fn observe(&self, duration: Duration) {
        // A bound belongs to its bucket.
        let bucket = self.bounds.partition_point(|bound| *bound < duration);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(nanoseconds(duration), Ordering::Relaxed);
    }

    /// What has been counted so far.
    #[must_use]
    pub fn snapshot(&self) -> HistogramSnapshot {
        HistogramSnapshot {
            bounds: self.bounds,
            buckets: self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect(),
            sum: Duration::from_nanos(self.sum.load(Ordering::Relaxed)),
        }
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    duration.as_nanos().try_into().unwrap_or(u64::MAX)
}

/// What a [`Histogram`] has counted, at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistogramSnapshot {
    /// The upper bounds, inclusive, of all buckets but the last.
    pub bounds: &'static [Duration],
    /// How many durations fell into each bucket; not cumulative.
    pub buckets: Vec<u64>,
    /// The sum of all durations.
    pub sum: Duration,
}

impl HistogramSnapshot {
    /// How many durations were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// How many durations were at most each of the bounds, and at last how many there were.
    pub fn cumulative(&self) -> impl Iterator<Item = u64> {
        self.buckets.iter().scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        })
    }

    fn merged(mut self, other: Self) -> Self {
        for (count, more) in self.buckets.iter_mut().zip(other.buckets) {
            *count += more;
        }
        self.sum += other.sum;
        self
    }
}
