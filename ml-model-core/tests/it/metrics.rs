//! Tests the `metrics` decorator. Counts are global, so every test has its own models.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crate::common::{Input, Output, with_version};
use ml_model_core::metrics::{self, DURATION_BOUNDS, Histogram, PredictionCounts};
use ml_model_core::{
    Decorated, Decorator, Infer, JsonForm, JsonModel, MLModel, MetricsDecorator, ModelMetadata,
    Prediction, PredictionError, PredictionIdDecorator, Request, Violation,
};
use proptest::prelude::*;

fn aged(age: u8) -> Input {
    Input { age, ..Input::example() }
}

fn counts_of(model: &str, version: &str) -> Option<PredictionCounts> {
    let mut found: Vec<_> = metrics::snapshot()
        .filter(|known| known.model == model && known.version == version)
        .collect();
    assert!(found.len() < 2, "{model} {version} is registered twice");
    found.pop()
}

/// Returns the numbers of successes and failures.
fn outcomes(model: &str, version: &str) -> Option<(u64, u64)> {
    let counts = counts_of(model, version)?;
    assert_eq!(counts.durations.count(), counts.succeeded + counts.failed);
    Some((counts.succeeded, counts.failed))
}

/// A decorator that changes the version.
struct Version(&'static str);

impl<M: MLModel> Decorator<M> for Version {
    fn metadata<'a>(&'a self, model: &'a M) -> Cow<'a, ModelMetadata> {
        with_version(model, self.0)
    }
}

/// A decorator that rejects every request.
struct Closed;

impl<M: MLModel> Decorator<M> for Closed {
    fn call(
        &self,
        _model: &M,
        _request: Request<M::Input>,
    ) -> Result<Prediction<M::Output>, PredictionError> {
        Err(PredictionError::rejected(std::io::Error::other("closed")))
    }
}

#[derive(MLModel)]
#[ml_model(version = "1")]
#[decorate(metrics)]
struct OutcomesModel;
infer!(OutcomesModel);

#[test]
fn predictions_are_counted_by_outcome() {
    assert_eq!(outcomes("outcomes_model", "1"), None, "registered by its first call");
    OutcomesModel.predict(aged(25)).unwrap();
    OutcomesModel.predict(Request::new(aged(26)).with_prediction_id("order-7")).unwrap();
    assert_eq!(outcomes("outcomes_model", "1"), Some((2, 0)));

    OutcomesModel.predict(aged(40)).unwrap_err();
    assert_eq!(outcomes("outcomes_model", "1"), Some((2, 1)), "an error of the model");
    OutcomesModel.predict(Request::invalid(vec![Violation::new("age", "is invalid")])).unwrap_err();
    assert_eq!(outcomes("outcomes_model", "1"), Some((2, 2)), "an invalid request");
    let panic = catch_unwind(|| OutcomesModel.predict(aged(50))).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"fifty"), "the panic continues");
    assert_eq!(outcomes("outcomes_model", "1"), Some((2, 3)), "a panic");
}

#[derive(MLModel)]
#[ml_model(version = "1")]
struct SlowModel;

impl Infer for SlowModel {
    type Input = u64;
    type Output = u64;
    type Error = std::convert::Infallible;

    fn infer(&self, milliseconds: &u64) -> Result<u64, Self::Error> {
        std::thread::sleep(Duration::from_millis(*milliseconds));
        Ok(*milliseconds)
    }
}

#[test]
fn durations_are_those_of_the_calls() {
    let model = Decorated::new(MetricsDecorator::new(), SlowModel);
    let started = Instant::now();
    model.predict(6).unwrap();
    model.predict(30).unwrap();
    let elapsed = started.elapsed();
    let durations = counts_of("slow_model", "1").unwrap().durations;
    assert!(durations.sum >= Duration::from_millis(36) && durations.sum <= elapsed);
    let up_to = |bound: Duration| {
        let bucket = DURATION_BOUNDS.iter().position(|known| *known == bound).unwrap();
        durations.cumulative().nth(bucket).unwrap()
    };
    assert_eq!(up_to(Duration::from_millis(5)), 0);
    assert!(up_to(Duration::from_millis(25)) <= 1);
    assert_eq!(durations.cumulative().last(), Some(2));
}

#[derive(MLModel)]
#[ml_model(version = "1")]
struct SharedModel;
infer!(SharedModel);

#[test]
fn models_of_one_name_and_version_share_their_counts() {
    let one = Decorated::new(MetricsDecorator::of(&SharedModel), SharedModel);
    assert_eq!(outcomes("shared_model", "1"), Some((0, 0)), "registered at construction");
    let other = Decorated::new(MetricsDecorator::new(), SharedModel);
    let newer = Decorated::new(MetricsDecorator::new(), Decorated::new(Version("2"), SharedModel));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..100 {
                    one.predict(aged(25)).unwrap();
                    other.predict(aged(40)).unwrap_err();
                    newer.predict(aged(25)).unwrap();
                }
            });
        }
    });
    assert_eq!(outcomes("shared_model", "1"), Some((400, 400)));
    assert_eq!(outcomes("shared_model", "2"), Some((400, 0)));
}

#[derive(MLModel)]
#[ml_model(version = "1")]
#[decorate(prediction_id)]
#[decorate(metrics)]
struct OnceModel;
infer!(OnceModel);

#[test]
fn a_call_is_counted_once_by_the_outermost() {
    let model = Decorated::new(MetricsDecorator::of(&OnceModel), OnceModel);
    assert_eq!(
        format!("{:?}", model.decorators()),
        "MetricsDecorator(PredictionIdDecorator(MetricsDecorator(OnceModel)))"
    );
    model.predict(aged(25)).unwrap();
    model.predict(Request::new(aged(25)).with_prediction_id("order-7")).unwrap();
    model.predict(aged(40)).unwrap_err();
    model.predict(Request::invalid(Vec::new())).unwrap_err();
    catch_unwind(AssertUnwindSafe(|| model.predict(aged(50)))).unwrap_err();
    assert_eq!(outcomes("once_model", "1"), Some((2, 3)));
    OnceModel.predict(aged(25)).unwrap();
    assert_eq!(outcomes("once_model", "1"), Some((3, 3)), "without the outer one");

    let closed = Decorated::new(MetricsDecorator::new(), Decorated::new(Closed, OnceModel));
    closed.predict(aged(25)).unwrap_err();
    assert_eq!(outcomes("once_model", "1"), Some((3, 4)), "an inner decorator rejects the request");

    let renamed = Decorated::new(MetricsDecorator::new(), Decorated::new(Version("2"), OnceModel));
    renamed.predict(aged(25)).unwrap();
    assert_eq!(outcomes("once_model", "2"), Some((1, 0)));
    assert_eq!(outcomes("once_model", "1"), Some((3, 4)), "not under the inner version, too");
}

#[test]
fn models_in_json_form_are_counted_once_whichever_way_they_are_called() {
    #[derive(MLModel)]
    #[ml_model(version = "1")]
    #[decorate(metrics)]
    struct JsonFormModel;
    infer!(JsonFormModel);

    let model = JsonModel::new(JsonFormModel);
    let model = Decorated::new(MetricsDecorator::of(&model), model);
    let body = serde_json::to_value(aged(25)).unwrap();
    let text = body.to_string();

    model.call(Request::new(body)).unwrap();
    model.call_text(Request::new(&text)).unwrap();
    assert_eq!(outcomes("json_form_model", "1"), Some((2, 0)));

    let wrong = text.replace("25", "25.5");
    model.call_text(Request::new(&wrong)).unwrap_err();
    let failing = serde_json::to_string(&aged(40)).unwrap();
    let requests = [&text, &failing].map(|text| Request::new(text.as_str()));
    assert_eq!(model.call_text_batch(requests.into()).len(), 2);
    assert_eq!(outcomes("json_form_model", "1"), Some((3, 2)));
}

#[test]
fn a_context_that_is_passed_to_another_call_is_counted_again() {
    #[derive(MLModel)]
    #[ml_model(version = "1")]
    #[decorate(metrics)]
    #[decorate(prediction_id)]
    struct StageModel;
    infer!(StageModel);

    let (_, context) = StageModel.predict(aged(25)).unwrap().into_parts();
    StageModel.predict(Request::new(aged(25)).with_context(context)).unwrap();
    assert_eq!(outcomes("stage_model", "1"), Some((2, 0)));
}

/// A generic model whose inner decorator gives each type another version.
#[derive(MLModel)]
#[ml_model(version = "1")]
#[decorate(metrics)]
#[decorate(Version(std::any::type_name::<T>()))]
struct TypedModel<T: Send + Sync>(T);

impl<T: Send + Sync> Infer for TypedModel<T> {
    type Input = Input;
    type Output = Output;
    type Error = crate::common::ModelError;

    fn infer(&self, input: &Input) -> Result<Output, Self::Error> {
        crate::common::charges(input)
    }
}

#[test]
fn the_types_of_a_generic_model_are_counted_separately() {
    TypedModel(1_u8).predict(aged(25)).unwrap();
    TypedModel(1_u16).predict(aged(40)).unwrap_err();
    TypedModel(2_u16).predict(aged(25)).unwrap();
    assert_eq!(outcomes("typed_model", "u8"), Some((1, 0)));
    assert_eq!(outcomes("typed_model", "u16"), Some((1, 1)));
    assert_eq!(outcomes("typed_model", "1"), None);
}

#[test]
fn metadata_passes_through() {
    let plain = Decorated::new(PredictionIdDecorator, SharedModel);
    let counted = Decorated::new(MetricsDecorator::new(), &plain);
    assert_eq!(counted.input_schema(), plain.input_schema());
    assert_eq!(counted.output_schema(), plain.output_schema());
    assert_eq!(counted.version(), plain.version());
}

#[test]
fn bounds_ascend_from_a_microsecond_to_50_seconds() {
    assert_eq!(DURATION_BOUNDS.first(), Some(&Duration::from_micros(1)));
    assert_eq!(DURATION_BOUNDS.last(), Some(&Duration::from_secs(50)));
    assert!(DURATION_BOUNDS.is_sorted_by(|a, b| a < b));
}

proptest! {
    #[test]
    fn a_histogram_counts_durations_up_to_its_bounds(
        durations in proptest::collection::vec(0_u64..100_000_000_000, 0..50),
        on_bounds in proptest::collection::vec(0..DURATION_BOUNDS.len(), 0..5),
    ) {
        let mut durations: Vec<_> = durations.into_iter().map(Duration::from_nanos).collect();
        durations.extend(on_bounds.into_iter().map(|index| DURATION_BOUNDS[index]));
        let histogram = Histogram::new(DURATION_BOUNDS);
        durations.iter().for_each(|duration| histogram.observe(*duration));
        let snapshot = histogram.snapshot();
        let expected = DURATION_BOUNDS.iter().chain([&Duration::MAX]).map(|bound| {
            durations.iter().filter(|duration| *duration <= bound).count() as u64
        });
        prop_assert_eq!(snapshot.cumulative().collect::<Vec<_>>(), expected.collect::<Vec<_>>());
        prop_assert_eq!(snapshot.count(), durations.len() as u64);
        prop_assert_eq!(snapshot.sum, durations.iter().sum());
    }
}
