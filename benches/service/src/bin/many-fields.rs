//! A service whose model has an input of 100 fields and logs 1, 10, 50 or 100 of them. It shows the cost of
//! a logged field.

use std::convert::Infallible;
use std::process::ExitCode;

use ml_model_core::{Infer, MLModel};
use ml_model_service::Service;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_load::count;

/// Output of each model here.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Sum {
    /// Sum of two fields.
    sum: f64,
}

macro_rules! input {
    ($($field:ident)*) => {
        /// Input of each model here.
        #[allow(missing_docs, reason = "the fields are numbered")]
        #[derive(Serialize, Deserialize, JsonSchema)]
        struct Fields {
            $($field: f64,)*
        }
    };
}

macro_rules! model {
    ($model:ident: $($field:ident)*) => {
        /// Logs some of the input fields.
        #[derive(MLModel)]
        #[ml_model(qualified_name = "fields_model", execution = inline)]
        #[decorate(prediction_id)]
        #[decorate(logging(input_fields = [$($field),*], output_fields = [sum]))]
        struct $model;

        impl Infer for $model {
            type Input = Fields;
            type Output = Sum;
            type Error = Infallible;

            fn infer(&self, input: &Fields) -> Result<Sum, Infallible> {
                Ok(Sum { sum: input.f00 + input.f99 })
            }
        }
    };
}

input! {
    f00 f01 f02 f03 f04 f05 f06 f07 f08 f09
    f10 f11 f12 f13 f14 f15 f16 f17 f18 f19
    f20 f21 f22 f23 f24 f25 f26 f27 f28 f29
    f30 f31 f32 f33 f34 f35 f36 f37 f38 f39
    f40 f41 f42 f43 f44 f45 f46 f47 f48 f49
    f50 f51 f52 f53 f54 f55 f56 f57 f58 f59
    f60 f61 f62 f63 f64 f65 f66 f67 f68 f69
    f70 f71 f72 f73 f74 f75 f76 f77 f78 f79
    f80 f81 f82 f83 f84 f85 f86 f87 f88 f89
    f90 f91 f92 f93 f94 f95 f96 f97 f98 f99
}

model! { Logs1: f00 }

model! {
    Logs10:
    f00 f01 f02 f03 f04 f05 f06 f07 f08 f09
}

model! {
    Logs50:
    f00 f01 f02 f03 f04 f05 f06 f07 f08 f09
    f10 f11 f12 f13 f14 f15 f16 f17 f18 f19
    f20 f21 f22 f23 f24 f25 f26 f27 f28 f29
    f30 f31 f32 f33 f34 f35 f36 f37 f38 f39
    f40 f41 f42 f43 f44 f45 f46 f47 f48 f49
}

model! {
    Logs100:
    f00 f01 f02 f03 f04 f05 f06 f07 f08 f09
    f10 f11 f12 f13 f14 f15 f16 f17 f18 f19
    f20 f21 f22 f23 f24 f25 f26 f27 f28 f29
    f30 f31 f32 f33 f34 f35 f36 f37 f38 f39
    f40 f41 f42 f43 f44 f45 f46 f47 f48 f49
    f50 f51 f52 f53 f54 f55 f56 f57 f58 f59
    f60 f61 f62 f63 f64 f65 f66 f67 f68 f69
    f70 f71 f72 f73 f74 f75 f76 f77 f78 f79
    f80 f81 f82 f83 f84 f85 f86 f87 f88 f89
    f90 f91 f92 f93 f94 f95 f96 f97 f98 f99
}

fn main() -> ExitCode {
    let service = Service::new("Many fields");
    match count(1) {
        1 => service.model(|| Logs1),
        10 => service.model(|| Logs10),
        50 => service.model(|| Logs50),
        100 => service.model(|| Logs100),
        count => panic!("no model logs {count} fields; there are 1, 10, 50 and 100"),
    }
    .main()
}
