use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::observed::{Observed, Prediction, PredictionError, error_info, panic_info};

/// Predicts NNN.
pub struct ModelNNN;

impl ModelNNN {
    fn infer(&self, input: &Input) -> Result<Output, ModelError> {
        compute(input)
    }

    pub fn predict(
        &self,
        input: Input,
        prediction_id: Option<&str>,
    ) -> Result<Prediction<Output>, PredictionError> {
        let mut observed = Observed::begin(prediction_id);
        tracing::info!(
            target: "modelNNN_logger",
            action = "predict",
            model_qualified_name = "modelNNN",
            model_version = env!("CARGO_PKG_VERSION"),
            prediction_id = observed.prediction_id.as_str(),
            EVENT
            "Prediction requested."
        );
        let result = catch_unwind(AssertUnwindSafe(|| {
            observed.start()?;
            self.infer(&input).map_err(|error| PredictionError::Model(error.into()))
        }));
        match result {
            Ok(Ok(output)) => {
                tracing::info!(
                    target: "modelNNN_logger",
                    action = "predict",
                    model_qualified_name = "modelNNN",
                    model_version = env!("CARGO_PKG_VERSION"),
                    prediction_id = observed.prediction_id.as_str(),
                    status = "success",
                    duration_ms = observed.duration_ms(),
                    score = output.score,
                    label = output.label.as_str(),
                    "Prediction created."
                );
                Ok(observed.prediction(output))
            }
            Ok(Err(error)) => {
                failed(&observed, &error_info(&error));
                Err(error)
            }
            Err(panic) => {
                failed(&observed, &panic_info(&*panic));
                resume_unwind(panic)
            }
        }
    }
}

fn failed(observed: &Observed, error_info: &str) {
    tracing::error!(
        target: "modelNNN_logger",
        action = "predict",
        model_qualified_name = "modelNNN",
        model_version = env!("CARGO_PKG_VERSION"),
        prediction_id = observed.prediction_id.as_str(),
        status = "error",
        duration_ms = observed.duration_ms(),
        error_info,
        "Prediction exception."
    );
}

pub fn call(call: &Call) -> String {
    match ModelNNN.predict(Input::example(call.outcome), call.prediction_id) {
        Ok(prediction) => {
            let Prediction { output, prediction_id } = &prediction;
            format!("{prediction_id} {} {}", output.score, output.label)
        }
        Err(error) => error.to_string(),
    }
}
