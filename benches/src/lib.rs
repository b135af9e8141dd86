//! The models of the benchmarks: the same arithmetic with different decorators.

use std::hint::black_box;
use std::io;
use std::time::Instant;

use ml_model_core::{Infer, MLModel};
use schemars::JsonSchema;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;

/// Input of every model here.
#[derive(Clone, Copy, Debug, JsonSchema)]
pub struct Input {
    /// Age in years.
    pub age: u8,
    /// Body mass index.
    pub bmi: f64,
}

impl Input {
    /// The input of every prediction here.
    pub const EXAMPLE: Self = Self { age: 25, bmi: 21.5 };
}

/// Output of every model here.
#[derive(Clone, Copy, Debug, JsonSchema)]
pub struct Output {
    /// Charges in US dollars.
    pub charges: f64,
}

macro_rules! models {
    ($($(#[$attribute:meta])* $model:ident;)*) => {$(
        $(#[$attribute])*
        pub struct $model;

        impl Infer for $model {
            type Input = Input;
            type Output = Output;
            type Error = io::Error;

            #[inline]
            fn infer(&self, input: &Input) -> Result<Output, io::Error> {
                if input.age == 0 {
                    return Err(io::Error::other("the age must not be 0"));
                }
                Ok(Output { charges: f64::from(input.age) * 37.5 + input.bmi * 11.25 })
            }
        }
    )*};
}

models! {
    /// Without decorators.
    #[derive(Debug, MLModel)]
    BareModel;

    /// With the records that [`predict_by_hand`] writes by hand.
    #[derive(Debug, MLModel)]
    #[ml_model(qualified_name = "bench_model", version = "0.1.0")]
    #[decorate(logging(input_fields = ["age", "bmi"], output_fields = ["charges"]))]
    LoggedModel;

    /// With a prediction id and these records.
    #[derive(Debug, MLModel)]
    #[ml_model(qualified_name = "bench_model", version = "0.1.0")]
    #[decorate(prediction_id)]
    #[decorate(logging(input_fields = ["age", "bmi"], output_fields = ["charges"]))]
    TracedModel;

    /// With metrics.
    #[derive(Debug, MLModel)]
    #[decorate(metrics)]
    CountedModel;

    /// With a prediction id.
    #[derive(Debug, MLModel)]
    #[decorate(prediction_id)]
    IdentifiedModel;
}

/// Predicts with the records of [`LoggedModel`], written by hand with `tracing`'s macros.
///
/// # Errors
///
/// Returns the error of the model.
#[inline]
pub fn predict_by_hand(model: &BareModel, input: Input) -> Result<Output, io::Error> {
    tracing::info!(
        target: "bench_model_logger",
        action = "predict",
        model_qualified_name = "bench_model",
        model_version = "0.1.0",
        age = input.age,
        bmi = input.bmi,
        "Prediction requested."
    );
    let started = Instant::now();
    let result = model.infer(&input);
    let duration_ms = started.elapsed().as_micros() as f64 / 1e3;
    match &result {
        Ok(output) => tracing::info!(
            target: "bench_model_logger",
            action = "predict",
            model_qualified_name = "bench_model",
            model_version = "0.1.0",
            status = "success",
            duration_ms,
            charges = output.charges,
            "Prediction created."
        ),
        Err(error) => tracing::error!(
            target: "bench_model_logger",
            action = "predict",
            model_qualified_name = "bench_model",
            model_version = "0.1.0",
            status = "error",
            duration_ms,
            error_info = %error,
            "Prediction exception."
        ),
    }
    result
}

/// Installs ml-logging with a writer that discards all records.
pub fn log_to_nowhere() {
    let logging = ml_logging::builder().environment(|_| None).writer(io::sink).init();
    std::mem::forget(logging.expect("no other subscriber is installed"));
}

/// Installs ml-logging with nine context fields and a writer that discards all records.
pub fn log_records_to_nowhere() {
    const FORMAT: &str = "%(asctime)s %(hostname)s %(pod_name)s %(process)s %(thread)s \
                          %(pathname)s %(lineno)s %(levelname)s %(message)s";
    let formatter = ml_logging::JsonFormatter::new(FORMAT).expect("the format is right");
    let builder = ml_logging::builder().environment(|_| None).formatter(formatter);
    let logging = builder.filter(Names).writer(io::sink).init();
    std::mem::forget(logging.expect("no other subscriber is installed"));
}

/// Fixed names of a host and a pod.
struct Names;

impl ml_logging::ContextFilter for Names {
    fn fields(&self) -> Vec<(String, String)> {
        let names =
            [("hostname", "pricing-7d9c6f"), ("pod_name", "insurance-charges-6c9f7b5d-x2x4k")];
        names.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }
}

/// Logs one record with eight fields of its own, as those of a prediction.
pub fn log_record() {
    tracing::info!(
        target: "bench_model_logger",
        action = "predict",
        model_qualified_name = "insurance_charges_model",
        model_version = "0.1.0",
        prediction_id = black_box("05351f67-d5bd-4302-b762-1d9dfe251f99"),
        status = "success",
        duration_ms = black_box(0.042),
        age = black_box(42_u8),
        charges = black_box(2696.69),
        "Prediction created."
    );
}

/// Installs a subscriber that enables records up to `level`.
pub fn log_up_to(level: LevelFilter) {
    let subscriber = tracing_subscriber::registry().with(level);
    tracing::subscriber::set_global_default(subscriber).expect("no other subscriber is installed");
}

/// Makes `predictions` predictions.
pub fn repeat(predictions: u32, mut predict: impl FnMut(Input) -> f64) {
    for _ in 0..predictions {
        black_box(predict(black_box(Input::EXAMPLE)));
    }
}

/// Returns the charges of a prediction, or NaN for an error.
#[inline]
pub fn charges<O: std::ops::Deref<Target = Output>, E>(prediction: Result<O, E>) -> f64 {
    prediction.map_or(f64::NAN, |prediction| prediction.charges)
}
