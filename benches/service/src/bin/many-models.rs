//! A service with up to 50 models of different types. It shows the cost of a hosted model.

use std::convert::Infallible;
use std::process::ExitCode;

use ml_model_core::{Infer, MLModel};
use ml_model_service::Service;
use service_load::{Input, Output, charges, count};

macro_rules! models {
    ($($model:ident)*) => {
        $(
            /// One of the models.
            #[derive(Debug, MLModel)]
            #[ml_model(execution = inline)]
            #[decorate(prediction_id)]
            #[decorate(logging(input_fields = ["age", "bmi"], output_fields = ["charges"]))]
            struct $model;

            impl Infer for $model {
                type Input = Input;
                type Output = Output;
                type Error = Infallible;

                fn infer(&self, input: &Input) -> Result<Output, Infallible> {
                    Ok(charges(input))
                }
            }
        )*

        /// Adds the first `count` models, `model00` first.
        fn host(service: Service, count: usize) -> Service {
            let add: &[fn(Service) -> Service] =
                &[$(|service| service.model(|| $model)),*];
            assert!(count <= add.len(), "there are {} models", add.len());
            add[..count].iter().fold(service, |service, add| add(service))
        }
    };
}

models! {
    Model00 Model01 Model02 Model03 Model04 Model05 Model06 Model07 Model08 Model09
    Model10 Model11 Model12 Model13 Model14 Model15 Model16 Model17 Model18 Model19
    Model20 Model21 Model22 Model23 Model24 Model25 Model26 Model27 Model28 Model29
    Model30 Model31 Model32 Model33 Model34 Model35 Model36 Model37 Model38 Model39
    Model40 Model41 Model42 Model43 Model44 Model45 Model46 Model47 Model48 Model49
}

fn main() -> ExitCode {
    host(Service::new("Many models"), count(1)).main()
}
