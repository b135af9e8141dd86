//! Tests generic models.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Mutex;

use crate::common::{Input, Output, logged, with_version};
use ml_model_core::{
    Decorator, Infer, MLModel, ModelMetadata, Prediction, PredictionError, Request,
};
use tracing_subscriber::filter::LevelFilter;

trait Score: Send + Sync {
    const FACTOR: f64;
}

struct One;
impl Score for One {
    const FACTOR: f64 = 1.0;
}

struct Two;
impl Score for Two {
    const FACTOR: f64 = 2.0;
}

/// A decorator whose creation is recorded in [`MADE`].
struct Named(&'static str);

static MADE: Mutex<Vec<&str>> = Mutex::new(Vec::new());

fn named(name: &'static str) -> Named {
    MADE.lock().expect("no test panics under the lock").push(name);
    Named(name)
}

impl<M: MLModel<Output = Output>> Decorator<M> for Named {
    fn call(
        &self,
        model: &M,
        request: Request<M::Input>,
    ) -> Result<Prediction<Output>, PredictionError> {
        assert_eq!(self.0, "named");
        model.call(request)
    }
}

#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging(input_fields = ["age"], output_fields = [charges]))]
#[decorate(self::named("named"))]
struct GenericModel<'a, S: Score, T, const N: usize>
where
    T: AsRef<str> + Send + Sync,
{
    name: &'a T,
    score: PhantomData<S>,
}

impl<S: Score, T, const N: usize> Infer for GenericModel<'_, S, T, N>
where
    T: AsRef<str> + Send + Sync,
{
    type Input = Input;
    type Output = Output;
    type Error = std::convert::Infallible;

    fn infer(&self, input: &Input) -> Result<Output, Self::Error> {
        assert_eq!(self.name.as_ref(), "generic");
        Ok(Output { charges: f64::from(input.age) * S::FACTOR + N as f64 })
    }
}

#[test]
fn generic_models_predict_and_log() {
    let name = String::from("generic");
    let one = GenericModel::<One, _, 3> { name: &name, score: PhantomData };
    let two = GenericModel::<Two, _, 4> { name: &name, score: PhantomData };
    let (charges, records) = logged(LevelFilter::INFO, || {
        [
            one.predict(Input::example()),
            two.predict(Input::example()),
            one.predict(Input::example()),
        ]
        .map(|prediction| prediction.unwrap().charges)
    });
    assert_eq!(charges, [28.0, 54.0, 28.0]);
    assert_eq!(one.qualified_name(), "generic_model");
    let logged: Vec<_> = records.iter().filter_map(|record| record.get("charges")).collect();
    assert_eq!(logged, ["28.0", "54.0", "28.0"]);
    assert_eq!(
        format!("{:?}", two.decorators()),
        "PredictionIdDecorator(LoggingDecorator(Named(GenericModel)))"
    );
    assert_eq!(MADE.lock().unwrap().len(), 2, "one decorator per type of model");
}

/// A model with a lifetime, whose decorators serve all lifetimes.
#[derive(MLModel)]
#[decorate(logging(input_fields = [age]))]
#[decorate(Plain)]
struct BorrowingModel<'a>(&'a str);

struct Plain;
impl<M: MLModel> Decorator<M> for Plain {}

impl Infer for BorrowingModel<'_> {
    type Input = Input;
    type Output = Output;
    type Error = std::convert::Infallible;

    fn infer(&self, _: &Input) -> Result<Output, Self::Error> {
        Ok(Output { charges: self.0.len() as f64 })
    }
}

#[test]
fn borrowing_models_work() {
    let text = String::from("abc");
    assert_eq!(BorrowingModel(&text).predict(Input::example()).unwrap().charges, 3.0);
}

#[test]
fn enums_are_models_too() {
    #[derive(MLModel)]
    #[decorate(logging(input_fields = [age]))]
    enum EitherModel {
        Constant(f64),
        Linear,
    }
    impl Infer for EitherModel {
        type Input = Input;
        type Output = Output;
        type Error = std::convert::Infallible;

        fn infer(&self, input: &Input) -> Result<Output, Self::Error> {
            let charges = match self {
                Self::Constant(charges) => *charges,
                Self::Linear => input.age.into(),
            };
            Ok(Output { charges })
        }
    }
    assert_eq!(EitherModel::Linear.predict(Input::example()).unwrap().charges, 25.0);
    assert_eq!(EitherModel::Constant(2.0).predict(Input::example()).unwrap().charges, 2.0);
}

/// A model with `Self` in its bounds, and with a decorator per type.
#[derive(MLModel)]
#[decorate(Numbered(NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)))]
struct SelfModel<T>(T)
where
    Self: Send + Sync,
    T: Clone;

static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

struct Numbered(usize);

impl<M: MLModel> Decorator<M> for Numbered {
    fn metadata<'a>(&'a self, model: &'a M) -> Cow<'a, ModelMetadata> {
        with_version(model, self.0.to_string())
    }
}

impl<T: Clone> Infer for SelfModel<T>
where
    Self: Send + Sync,
{
    type Input = Input;
    type Output = Output;
    type Error = std::convert::Infallible;

    fn infer(&self, _: &Input) -> Result<Output, Self::Error> {
        let _same = self.0.clone();
        Ok(Output { charges: 1.0 })
    }
}

#[test]
fn types_with_equal_names_have_separate_decorators() {
    let first = {
        #[derive(Clone)]
        struct A;
        SelfModel(A).version().into_owned()
    };
    let second = {
        #[derive(Clone)]
        struct A;
        SelfModel(A).version().into_owned()
    };
    assert_ne!(first, second);
}

/// A model whose bounds stand on `Infer` alone. This works if no decorator uses its input and output.
#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(metrics)]
struct Unbounded<T>(T);

impl<T: AsRef<str> + Send + Sync> Infer for Unbounded<T> {
    type Input = Input;
    type Output = Output;
    type Error = std::convert::Infallible;

    fn infer(&self, _: &Input) -> Result<Output, Self::Error> {
        Ok(Output { charges: self.0.as_ref().len() as f64 })
    }
}

#[test]
fn a_generic_type_is_a_model_where_it_implements_infer() {
    let prediction = Unbounded("abc").predict(Input::example()).unwrap();
    assert_eq!(prediction.charges, 3.0);
    assert!(prediction.prediction_id().is_some());
}

/// A decorator with the capitalised name of a built-in one.
mod capitalised {
    use super::{Decorator, Infer, Input, MLModel, Output};

    struct Logging;
    impl<M: MLModel> Decorator<M> for Logging {}

    #[derive(MLModel)]
    #[decorate(Logging)]
    struct Model;

    impl Infer for Model {
        type Input = Input;
        type Output = Output;
        type Error = std::convert::Infallible;

        fn infer(&self, _: &Input) -> Result<Output, Self::Error> {
            Ok(Output { charges: 1.0 })
        }
    }

    #[test]
    fn a_custom_decorator_may_be_called_logging() {
        assert_eq!(format!("{:?}", Model.decorators()), "Logging(Model)");
    }
}
