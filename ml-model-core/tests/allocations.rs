//! Tests that a disabled `logging` decorator and a `metrics` decorator allocate nothing.

use std::hint::black_box;

use ml_model_core::{Decorated, Infer, MLModel, MetricsDecorator, PredictionId, Request};
use schemars::JsonSchema;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;

#[derive(Clone, Copy, JsonSchema)]
struct Input {
    age: u8,
}

#[derive(MLModel)]
#[decorate(logging(input_fields = ["age"]))]
struct AgeModel;

impl Infer for AgeModel {
    type Input = Input;
    type Output = f64;
    type Error = std::convert::Infallible;

    fn infer(&self, input: &Input) -> Result<f64, Self::Error> {
        Ok(f64::from(input.age))
    }
}

fn predict() {
    black_box(AgeModel.predict(black_box(Input { age: 25 }))).expect("the model cannot fail");
}

fn allocations(level: LevelFilter) -> u64 {
    let subscriber = tracing_subscriber::registry().with(level);
    tracing::subscriber::with_default(subscriber, || {
        // The first prediction completes the call sites.
        predict();
        allocation_counter::measure(predict).count_total
    })
}

#[test]
fn with_the_level_off_nothing_is_allocated() {
    assert_eq!(allocations(LevelFilter::OFF), 0);
    assert_eq!(allocations(LevelFilter::WARN), 0);
}

#[derive(MLModel)]
#[decorate(metrics)]
struct CountedModel;

impl Infer for CountedModel {
    type Input = Input;
    type Output = f64;
    type Error = std::convert::Infallible;

    fn infer(&self, input: &Input) -> Result<f64, Self::Error> {
        Ok(f64::from(input.age))
    }
}

#[test]
fn counting_allocates_nothing() {
    let twice = Decorated::new(MetricsDecorator::of(&CountedModel), CountedModel);
    let predict = |model: &dyn MLModel<Input = Input, Output = f64>, id: Option<PredictionId>| {
        let mut request = Request::new(Input { age: 25 });
        if let Some(id) = id {
            request = request.with_prediction_id(id);
        }
        let call = || drop(black_box(model.call(black_box(request))));
        allocation_counter::measure(call).count_total
    };
    let models: [&dyn MLModel<Input = Input, Output = f64>; 2] = [&CountedModel, &twice];
    for model in models {
        // The first prediction registers the model.
        predict(model, None);
        assert_eq!(predict(model, None), 0);
        assert_eq!(predict(model, Some(PredictionId::random())), 0);
    }
}

#[test]
fn the_counter_counts() {
    assert_ne!(allocation_counter::measure(|| drop(black_box(vec![1_u8]))).count_total, 0);
}
