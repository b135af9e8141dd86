//! Tests stacks of decorators: composition, metadata, custom decorators.

use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common::{Input, Output, logged, with_version};
use ml_model_core::{
    Answer, Context, Decorated, Decorator, Described, Execution, Infer, MLModel, ModelMetadata,
    Prediction, PredictionError, PredictionIdDecorator, Rejection, RejectionKind, Request,
};
use schemars::Schema;
use tracing_subscriber::filter::LevelFilter;

/// Charges for one customer.
///
/// In US dollars.
#[derive(MLModel)]
struct InsuranceChargesModel;
infer!(InsuranceChargesModel);

#[test]
fn metadata_has_defaults() {
    let model = InsuranceChargesModel;
    assert_eq!(model.display_name(), "Insurance Charges Model");
    assert_eq!(model.qualified_name(), "insurance_charges_model");
    assert_eq!(model.description(), "Charges for one customer.\n\nIn US dollars.");
    assert_eq!(model.version(), env!("CARGO_PKG_VERSION"));
    assert_eq!(format!("{:?}", model.decorators()), "InsuranceChargesModel");
}

#[derive(MLModel)]
#[ml_model(display_name = "Charges", qualified_name = "charges", description = "Charges.")]
#[ml_model(version = "7")]
#[decorate(prediction_id)]
#[decorate(logging)]
struct NamedModel;
infer!(NamedModel);

#[test]
fn metadata_is_as_given() {
    assert_eq!(NamedModel.display_name(), "Charges");
    assert_eq!(NamedModel.qualified_name(), "charges");
    assert_eq!(NamedModel.description(), "Charges.");
    assert_eq!(NamedModel.version(), "7");
    assert!(matches!(NamedModel.version(), Cow::Borrowed(_)), "nothing is copied");
}

#[test]
fn the_prediction_id_is_in_the_schemas() {
    let input = NamedModel.input_schema();
    let field = input.pointer("/properties/prediction_id").unwrap();
    assert_eq!(field["pattern"], "^[A-Za-z0-9._:-]{1,128}$");
    let required = |schema: &Schema| {
        let names = schema.get("required").and_then(|names| names.as_array()).unwrap();
        names.iter().any(|name| name == "prediction_id")
    };
    assert!(!required(&input));
    let output = NamedModel.output_schema();
    assert!(output.pointer("/properties/prediction_id").is_some());
    assert!(required(&output));
    assert_eq!(output.pointer("/properties/charges/type").unwrap(), "number");
}

#[test]
fn a_schema_of_no_object_is_unchanged() {
    #[derive(MLModel)]
    #[decorate(prediction_id)]
    struct NumberModel;
    impl Infer for NumberModel {
        type Input = Vec<f64>;
        type Output = f64;
        type Error = std::convert::Infallible;
        fn infer(&self, input: &Vec<f64>) -> Result<f64, Self::Error> {
            Ok(input.iter().sum())
        }
    }
    assert_eq!(NumberModel.output_schema().get("properties"), None);
    assert_eq!(*NumberModel.predict(vec![1.0, 2.0]).unwrap(), 3.0);
}

/// A decorator that counts calls and changes every item of metadata.
#[derive(Default)]
struct Counting {
    calls: AtomicUsize,
}

static MADE: AtomicUsize = AtomicUsize::new(0);

impl Counting {
    fn new() -> Self {
        MADE.fetch_add(1, Ordering::Relaxed);
        Self::default()
    }
}

#[derive(Debug, PartialEq)]
struct CallNumber(usize);

impl<M: MLModel> Decorator<M> for Counting {
    fn call(
        &self,
        model: &M,
        mut request: Request<M::Input>,
    ) -> Result<Prediction<M::Output>, PredictionError> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        request.context_mut().insert(CallNumber(number));
        model.call(request)
    }
    fn metadata<'a>(&'a self, model: &'a M) -> Cow<'a, ModelMetadata> {
        let inner = model.metadata();
        Cow::Owned(ModelMetadata {
            display_name: format!("Counted {}", inner.display_name).into(),
            qualified_name: format!("counted_{}", inner.qualified_name).into(),
            description: "Counted.".into(),
            version: format!("{}+counted", inner.version).into(),
        })
    }
    fn input_schema(&self, model: &M) -> Schema {
        let mut schema = model.input_schema();
        schema.insert("x-counted".into(), true.into());
        schema
    }
    fn output_schema(&self, model: &M) -> Schema {
        let mut schema = model.output_schema();
        schema.insert("x-counted".into(), true.into());
        schema
    }
}

struct Doubling;

impl<M: MLModel<Output = Output>> Decorator<M> for Doubling {
    fn call(
        &self,
        model: &M,
        request: Request<M::Input>,
    ) -> Result<Prediction<Output>, PredictionError> {
        let mut prediction = model.call(request)?;
        prediction.charges *= 2.0;
        Ok(prediction)
    }
}

/// A decorator that returns its own prediction, with a new context, for one age.
struct Cache;

impl<M: MLModel<Input = Input, Output = Output>> Decorator<M> for Cache {
    fn call(
        &self,
        model: &M,
        request: Request<Input>,
    ) -> Result<Prediction<Output>, PredictionError> {
        match request.input() {
            Some(input) if input.age == 30 => {
                Ok(Prediction::new(Output { charges: 1.0 }, Default::default()))
            }
            _ => model.call(request),
        }
    }
}

#[derive(MLModel)]
#[decorate(Counting::new())]
#[decorate(prediction_id)]
#[decorate(self::Cache)]
#[decorate(logging(output_fields = ["charges"]))]
#[decorate(Doubling)]
struct MixedModel {
    factor: f64,
}
infer!(MixedModel);

#[test]
fn custom_decorators_stand_anywhere_in_the_stack() {
    let model = MixedModel { factor: 1.0 };
    assert_eq!(
        format!("{:?}", model.decorators()),
        "Counting(PredictionIdDecorator(Cache(LoggingDecorator(Doubling(MixedModel)))))",
    );
    let (prediction, records) =
        logged(LevelFilter::INFO, || model.predict(Input::example()).unwrap());
    assert_eq!(prediction.charges, 500.0, "{}", model.factor);
    let created = records.iter().find(|record| record.message() == "Prediction created.").unwrap();
    assert_eq!(
        created.get("charges"),
        Some("500.0"),
        "outer decorators receive the output of inner ones"
    );
    assert_eq!(created.get("model_qualified_name"), Some("mixed_model"), "inside Counting");
    assert!(prediction.context().get::<CallNumber>().is_some());
}

#[test]
fn a_prediction_of_a_decorator_has_the_id() {
    let model = MixedModel { factor: 1.0 };
    let input = Input { age: 30, ..Input::example() };
    let prediction = model.predict(Request::new(input).with_prediction_id("x")).unwrap();
    assert_eq!(prediction.prediction_id().unwrap().as_str(), "x");
}

#[test]
fn every_item_of_metadata_can_be_changed() {
    let model = MixedModel { factor: 1.0 };
    assert_eq!(model.display_name(), "Counted Mixed Model");
    assert_eq!(model.qualified_name(), "counted_mixed_model");
    assert_eq!(model.description(), "Counted.");
    assert_eq!(model.version(), format!("{}+counted", env!("CARGO_PKG_VERSION")));
    assert_eq!(model.input_schema().get("x-counted"), Some(&true.into()));
    assert_eq!(model.output_schema().get("x-counted"), Some(&true.into()));
}

#[test]
fn an_expression_is_evaluated_once_per_model_type() {
    for _ in 0..3 {
        drop(MixedModel { factor: 1.0 }.predict(Input::example()));
        drop(MixedModel { factor: 2.0 }.predict(Input::example()));
    }
    assert_eq!(MADE.load(Ordering::Relaxed), 1);
}

#[test]
fn stacks_are_built_by_hand_too() {
    let model = Decorated::new(
        PredictionIdDecorator,
        Decorated::new(Box::new(Doubling), std::sync::Arc::new(MixedModel { factor: 3.0 })),
    );
    assert!(
        format!("{model:?}").starts_with("PredictionIdDecorator(Doubling(Counting(Prediction"),
        "{model:?}"
    );
    assert_eq!(model.predict(Input::example()).unwrap().charges, 1000.0);
    assert_eq!(model.factor, 3.0, "a stack derefs to its model");
}

#[test]
fn an_inner_id_decorator_keeps_the_outer_id() {
    let model = Decorated::new(PredictionIdDecorator, NamedModel);
    let prediction = model.predict(Input::example()).unwrap();
    assert!(prediction.prediction_id().is_some());
    let request = Request::new(Input::example()).with_prediction_id("outer");
    assert_eq!(model.predict(request).unwrap().prediction_id().unwrap().as_str(), "outer");
}

/// A model that returns the prediction id.
#[derive(MLModel)]
#[decorate(prediction_id)]
struct EchoModel;

impl Infer for EchoModel {
    type Input = Input;
    type Output = String;
    type Error = std::convert::Infallible;

    fn infer(&self, _: &Input) -> Result<String, Self::Error> {
        Ok("no id".into())
    }
    fn infer_with(
        &self,
        _: &Input,
        context: &ml_model_core::Context,
    ) -> Result<String, Self::Error> {
        Ok(context.prediction_id().map_or("no id".into(), ToString::to_string))
    }
}

#[test]
fn a_model_can_read_the_id() {
    let prediction = EchoModel.predict(Input::example()).unwrap();
    assert_eq!(prediction.output(), prediction.prediction_id().unwrap().as_str());
}

#[test]
fn a_decorator_may_reject_a_request() {
    struct Closed;
    impl<M: MLModel> Decorator<M> for Closed {
        fn call(
            &self,
            _: &M,
            _: Request<M::Input>,
        ) -> Result<Prediction<M::Output>, PredictionError> {
            Err(PredictionError::rejected("closed on Sundays"))
        }
    }
    let error = Decorated::new(Closed, NamedModel).predict(Input::example()).unwrap_err();
    assert_eq!(ml_model_core::error_chain(&error).to_string(), "closed on Sundays");
}

/// Fails twice, then returns the number of the attempt.
#[derive(MLModel, Default)]
#[decorate(Retry)]
#[decorate(prediction_id)]
struct FlakyModel {
    attempts: AtomicUsize,
}

impl Infer for FlakyModel {
    type Input = Input;
    type Output = usize;
    type Error = std::io::Error;

    fn infer_with(&self, _: &Input, context: &Context) -> Result<usize, Self::Error> {
        assert_eq!(context.get(), Some(&"shared"));
        match self.attempts.fetch_add(1, Ordering::Relaxed) {
            attempt @ 2.. => Ok(attempt),
            attempt => Err(std::io::Error::other(format!("attempt {attempt}"))),
        }
    }

    fn infer(&self, _: &Input) -> Result<usize, Self::Error> {
        unreachable!("the context is passed")
    }
}

struct Retry;

impl<M: MLModel<Input: Clone>> Decorator<M> for Retry {
    fn call(&self, model: &M, request: Request<M::Input>) -> Answer<M::Output> {
        (0..2)
            .find_map(|_| model.call(request.clone()).ok())
            .map_or_else(|| model.call(request), Ok)
    }
}

#[test]
fn a_request_can_be_sent_again_with_its_context() {
    let mut request = Request::new(Input::example()).with_prediction_id("again");
    request.context_mut().insert("shared");
    let prediction = FlakyModel::default().predict(request).unwrap();
    assert_eq!(*prediction, 2);
    assert_eq!(prediction.prediction_id().unwrap().as_str(), "again");
}

/// Rejects everything, as an error of its own or inside the error of the stack.
#[derive(MLModel)]
struct PickyModel;

impl Infer for PickyModel {
    type Input = bool;
    type Output = bool;
    type Error = PredictionError;

    fn infer(&self, wraps: &bool) -> Result<bool, PredictionError> {
        let source = std::io::Error::other("row 7 is gone");
        let rejection = Rejection::new(RejectionKind::NotFound, "UnknownCustomerError", source);
        Err(if *wraps { PredictionError::model(rejection) } else { rejection.into() })
    }
}

#[test]
fn a_model_rejects_a_request_with_a_reason() {
    let model: &dyn MLModel<Input = bool, Output = bool> = &PickyModel;
    for wraps in [false, true] {
        let error = model.call(wraps.into()).unwrap_err();
        assert_eq!(format!("{error:?}"), "row 7 is gone");
        let PredictionError::Rejected(rejection) = error else { panic!("{error}") };
        assert_eq!(rejection.kind(), RejectionKind::NotFound);
        assert_eq!(rejection.r#type(), "UnknownCustomerError");
    }
}

#[test]
fn an_error_around_a_rejection_rejects_the_request_with_its_own_text() {
    /// An error of a model's own.
    #[derive(Debug)]
    enum Wrapped {
        /// The rejection is the source.
        Around(Rejection),
        /// Display and source are those of the rejection.
        Transparent(Rejection),
    }

    impl std::fmt::Display for Wrapped {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            match self {
                Self::Around(_) => f.write_str("no score"),
                Self::Transparent(rejection) => rejection.fmt(f),
            }
        }
    }

    impl std::error::Error for Wrapped {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            match self {
                Self::Around(rejection) => Some(rejection),
                Self::Transparent(rejection) => rejection.source(),
            }
        }
    }

    let rejection = || Rejection::new(RejectionKind::Conflict, "StaleError", "the score is stale");
    for (wrapped, text, chain) in [
        (Wrapped::Around(rejection()), "no score", "no score: the score is stale"),
        (Wrapped::Transparent(rejection()), "the score is stale", "the score is stale"),
    ] {
        let error = PredictionError::model(wrapped);
        assert_eq!(error.to_string(), text);
        assert_eq!(format!("{error:?}"), chain);
        let PredictionError::Rejected(rejection) = error else { panic!("{error}") };
        assert_eq!(rejection.kind(), RejectionKind::Conflict);
        assert_eq!(rejection.r#type(), "StaleError");
    }
}

/// A decorator with two type parameters.
struct Pair<A, B>(A, B);

impl<M: MLModel, A: Send + Sync, B: Send + Sync> Decorator<M> for Pair<A, B> {}

impl<A: Default, B: Default> Pair<A, B> {
    fn new() -> Self {
        Self(A::default(), B::default())
    }
}

#[doc = concat!("Put ", "together.")]
#[derive(MLModel)]
#[decorate(Pair::<u8, [u16; 2]>::new())]
#[decorate(Pair(|x: u8| x + 1, "two"),)]
struct r#PairedModel;
infer!(PairedModel);

#[test]
fn expressions_may_have_commas() {
    assert_eq!(format!("{:?}", PairedModel.decorators()), "Pair(Pair(PairedModel))");
    assert_eq!(PairedModel.description(), "Put together.");
    assert_eq!(PairedModel.predict(Input::example()).unwrap().charges, 250.0);
}

struct Versioned(String);

impl<M: MLModel> Decorator<M> for Versioned {
    fn metadata<'a>(&'a self, model: &'a M) -> Cow<'a, ModelMetadata> {
        with_version(model, self.0.clone())
    }
}

#[derive(MLModel)]
#[decorate(Versioned(RecursiveModel.version().into_owned()))]
struct RecursiveModel;
infer!(RecursiveModel);

#[test]
#[should_panic = "calls the model that it decorates"]
fn a_decorator_that_would_deadlock_panics() {
    let _ = RecursiveModel.version();
}

#[test]
fn a_request_without_input_is_invalid() {
    let error = NamedModel.call(Request::invalid(Vec::new())).unwrap_err();
    assert_eq!(error.to_string(), "invalid input: there is no input");
}

#[derive(MLModel)]
#[ml_model(execution = inline)]
struct InlineModel;
infer!(InlineModel);

#[derive(MLModel)]
#[ml_model(execution = Execution::Inline)]
struct ConstantModel;
infer!(ConstantModel);

#[test]
fn execution_is_declared() {
    assert_eq!(InlineModel::EXECUTION, Execution::Inline);
    assert_eq!(ConstantModel::EXECUTION, Execution::Inline);
    assert_eq!(PairedModel::EXECUTION, Execution::Blocking);
}

#[test]
fn a_stack_is_described() {
    let stack = PairedModel.stack();
    assert_eq!(stack.names, ["PairedModel", "Pair", "Pair"]);
    assert_eq!(stack.to_string(), "Pair(Pair(PairedModel))");
    assert!(!stack.has_prediction_id);
    assert!(Decorated::new(PredictionIdDecorator, PairedModel).stack().has_prediction_id);
}
