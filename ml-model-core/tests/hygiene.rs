//! Tests that the generated code compiles among conflicting names and with all lints denied.

#![deny(
    warnings,
    missing_docs,
    unused_qualifications,
    missing_debug_implementations,
    unreachable_pub
)]
#![deny(clippy::all, clippy::pedantic, clippy::unwrap_used)]
#![allow(
    dead_code,
    unused_macros,
    clippy::struct_field_names,
    reason = "the names exist to conflict"
)]

extern crate ml_model_core as renamed;

/// Inputs and outputs, apart because the derives of schemars and serde are not as hygienic.
mod data {
    use renamed::LogValue;
    use schemars::JsonSchema;

    #[derive(JsonSchema, LogValue, Clone, Copy)]
    #[log_value(crate = ::renamed)]
    pub(crate) enum Kind {
        Some,
        None,
    }

    #[derive(JsonSchema)]
    pub(crate) struct Input {
        pub(crate) age: u8,
        pub(crate) kind: Kind,
        pub(crate) r#type: u8,
        pub(crate) record: u8,
        pub(crate) input: u8,
    }

    #[derive(JsonSchema)]
    pub(crate) struct Output {
        pub(crate) charges: f64,
    }
}

/// A user's items whose names conflict with names in the generated code.
mod user {
    #![no_implicit_prelude]

    use ::renamed::{Infer, LogValue, MLModel};
    use ::std::convert::{From, Infallible};

    // Names of the prelude, of the generated code and of the crates behind it.
    struct Some;
    struct None;
    struct Ok;
    struct Err;
    struct Result;
    struct Option;
    struct Vec;
    struct String;
    struct Box;
    struct Request;
    struct Prediction;
    struct Record;
    struct Recorder;
    struct Decorated;
    struct Metadata;
    struct PhantomData;
    struct Log;
    struct Duration;
    struct Sampling;
    struct Sensitive;
    struct M;
    trait Decorator {}
    mod tracing {}
    mod std {}
    mod core {}
    mod ml_model_core {}
    macro_rules! env {
        () => {};
    }
    macro_rules! concat {
        () => {};
    }
    const METADATA: u8 = 0;
    const SITES: u8 = 0;
    fn stack() {}
    fn field() {}
    fn bare() {}
    fn hashed() {}
    fn redacted() {}

    use super::data::{Input, Output};

    #[derive(LogValue)]
    #[log_value(crate = ::renamed)]
    pub(crate) enum Unschemed {
        Some,
        None,
    }

    pub(crate) struct Own;

    impl<M: MLModel> ::renamed::Decorator<M> for Own {}

    #[derive(MLModel)]
    #[ml_model(crate = ::renamed)]
    #[decorate(Own)]
    #[decorate(metrics)]
    #[decorate(prediction_id)]
    #[decorate(logging(input_fields = ["age", kind, r#type, "type as kind_of", record, input,
        "bucketed(age, 1000000) as bucket", hashed(kind) as hash, redacted(input) as hidden],
        output_fields = ["charges", bucketed(charges, 0.125) as about], sample = 0.123_456_7, slow = "1s"))]
    #[decorate({ let model = Own; let input = (model, 1); input.0 })]
    pub(crate) struct Model;

    impl Infer for Model {
        type Input = Input;
        type Output = Output;
        type Error = Infallible;

        fn infer(&self, input: &Input) -> ::std::result::Result<Output, Infallible> {
            ::std::result::Result::Ok(Output { charges: f64::from(input.age) })
        }
    }

    // A type parameter may have any name as well.
    #[derive(MLModel)]
    #[ml_model(crate = ::renamed)]
    #[decorate(Own)]
    #[decorate(metrics)]
    #[decorate(logging(input_fields = [age]))]
    pub(crate) struct Generic<M, T>(pub(crate) M, pub(crate) T)
    where
        M: ::std::marker::Send + ::std::marker::Sync,
        T: ::std::marker::Send + ::std::marker::Sync;

    impl<M, T> Infer for Generic<M, T>
    where
        M: ::std::marker::Send + ::std::marker::Sync,
        T: ::std::marker::Send + ::std::marker::Sync,
    {
        type Input = Input;
        type Output = Output;
        type Error = Infallible;

        fn infer(&self, input: &Input) -> ::std::result::Result<Output, Infallible> {
            ::std::result::Result::Ok(Output { charges: f64::from(input.age) })
        }
    }
}

use renamed::MLModel as _;

#[test]
fn a_model_among_conflicting_names_predicts() {
    let input = || data::Input { age: 2, kind: data::Kind::None, r#type: 1, record: 1, input: 1 };
    let prediction = user::Model.predict(input()).expect("the model cannot fail");
    assert!((prediction.charges - 2.0).abs() < f64::EPSILON);
    let generic = user::Generic(1_u8, "a");
    assert!((generic.predict(input()).expect("it cannot fail").charges - 2.0).abs() < f64::EPSILON);
}
