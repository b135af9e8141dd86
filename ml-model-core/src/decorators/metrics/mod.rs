//! The `metrics` decorator, and the counts of all models for metrics exporters.
//!
//! [`MetricsDecorator`] counts, [`snapshot`] reads the counts. They are atomics in one list per process,
//! by qualified name and version of the model. A Prometheus exporter would name them:
//!
//! | family | labels | value |
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

mod histogram;

use std::ops::Deref;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::append_list::AppendList;
use crate::decorator::{Decorated, Decorator};
use crate::model::{Answer, MLModel};
use crate::registry::JsonForm;
use crate::request::Request;

pub use histogram::{Histogram, HistogramSnapshot};

/// Upper bounds of the buckets of [`PredictionCounts::durations`]: 1, 2.5 and 5 per decade, from one
/// microsecond to 50 seconds.
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

/// All models that a decorator of this process counts.
static MODELS: AppendList<Counters> = AppendList::new();

/// Decorator that counts the predictions of a model by outcome, and measures their durations.
///
/// A prediction counts as failed if it ends in an error of the model or of a decorator, or in a panic,
/// which continues to unwind. A request with an invalid input counts as failed, too.
///
/// A call is counted once, by the outermost `metrics` decorator of the stack and under the name that
/// the model has there. A decorator that calls its model with a new [`Context`](crate::Context) starts a
/// new call. Decorators around models with the same qualified name and version share their counts.
///
/// Counting a prediction reads the clock twice and makes two relaxed atomic additions. It neither
/// allocates nor locks. The first call registers the model under its current name and version.
#[derive(Debug, Default)]
pub struct MetricsDecorator {
    counters: OnceLock<&'static Counters>,
}

impl MetricsDecorator {
    /// Creates a decorator that registers its model at the first call.
    #[must_use]
    pub const fn new() -> Self {
        Self { counters: OnceLock::new() }
    }

    /// Creates a decorator and registers `model`, so that it is exported before its first prediction.
    #[must_use]
    pub fn of<M: MLModel>(model: &M) -> Self {
        Self { counters: OnceLock::from(Counters::of(model)) }
    }

    /// Starts to count a call, unless an outer decorator counts it.
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

    /// Counts the rows of a batch. The duration of a row is that of its batch.
    fn count_rows<I, O>(
        &self,
        model: &impl MLModel,
        mut requests: Vec<Request<I>>,
        call: impl FnOnce(Vec<Request<I>>) -> Vec<Answer<O>>,
    ) -> Vec<Answer<O>> {
        let started = Instant::now();
        let counts: Vec<_> =
            requests.iter_mut().map(|request| self.begin(model, request, || started)).collect();
        let results = call(requests);
        counts.into_iter().zip(results).map(|(count, result)| Count::end(count, result)).collect()
    }
}

/// Preserves the direct way between text and the model's types, without a [`Value`](serde_json::Value).
impl<M: JsonForm> JsonForm for Decorated<MetricsDecorator, M> {
    fn call_text(&self, mut request: Request<&str>) -> Answer<Vec<u8>> {
        let count = self.decorator().begin(self.deref(), &mut request, Instant::now);
        Count::end(count, self.deref().call_text(request))
    }

    fn call_text_batch(&self, requests: Vec<Request<&str>>) -> Vec<Answer<Vec<u8>>> {
        let model = self.deref();
        self.decorator().count_rows(model, requests, |requests| model.call_text_batch(requests))
    }
}

impl<M: MLModel> Decorator<M> for MetricsDecorator {
    #[inline]
    fn call(&self, model: &M, mut request: Request<M::Input>) -> Answer<M::Output> {
        let count = self.begin(model, &mut request, Instant::now);
        Count::end(count, model.call(request))
    }

    fn call_batch(&self, model: &M, requests: Vec<Request<M::Input>>) -> Vec<Answer<M::Output>> {
        self.count_rows(model, requests, |requests| model.call_batch(requests))
    }

    fn takes_batches(&self) -> bool {
        true
    }
}

/// Guard that counts a prediction on drop, including during a panic.
struct Count {
    counters: &'static Counters,
    of: &'static Histogram,
    started: Instant,
}

impl Count {
    /// Counts the result of a call.
    #[inline]
    fn end<O>(count: Option<Self>, mut result: Answer<O>) -> Answer<O> {
        if let (Some(mut count), Ok(prediction)) = (count, &mut result) {
            count.of = &count.counters.succeeded;
            // The context may be passed to another call.
            prediction.context_mut().clear_counted();
        }
        result
    }
}

impl Drop for Count {
    #[inline]
    fn drop(&mut self) {
        self.of.observe(self.started.elapsed());
    }
}

/// The counts of one model.
///
/// The number of predictions is the total of a histogram per outcome, so that exported counts and
/// durations are consistent.
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

/// Returns the counts of all models that a [`MetricsDecorator`] has registered in this process, in the
/// order of their registration.
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

/// The counts of one model at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PredictionCounts {
    /// Qualified name of the model.
    pub model: &'static str,
    /// Version of the model.
    pub version: &'static str,
    /// Number of predictions.
    pub succeeded: u64,
    /// Number of predictions that ended in an error or a panic, including requests with an invalid
    /// input.
    pub failed: u64,
    /// Durations of all calls, failed ones included.
    pub durations: HistogramSnapshot,
}
