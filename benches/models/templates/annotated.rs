use ml_model_core::{Infer, MLModel, Request};

/// Predicts NNN.
#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging(input_fields = [LISTED], output_fields = ["score", "label"]))]
pub struct ModelNNN;

impl Infer for ModelNNN {
    type Input = Input;
    type Output = Output;
    type Error = ModelError;

    fn infer(&self, input: &Input) -> Result<Output, ModelError> {
        compute(input)
    }
}

pub fn call(call: &Call) -> String {
    let mut request = Request::new(Input::example(call.outcome));
    if let Some(id) = call.prediction_id {
        request = request.with_prediction_id(id);
    }
    match ModelNNN.predict(request) {
        Ok(prediction) => {
            let id = prediction.prediction_id().map_or("", |id| id.as_str());
            format!("{id} {} {}", prediction.score, prediction.label)
        }
        Err(error) => error.to_string(),
    }
}
