use program::{Call, ModelError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Input {
    DECLARED
}

impl Input {
    fn example(outcome: u8) -> Self {
        Self {
            EXAMPLES
        }
    }
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Output {
    pub score: f64,
    pub label: String,
}

fn compute(input: &Input) -> Result<Output, ModelError> {
    match input.outcome {
        0 => Err(ModelError("the model cannot predict from this input")),
        1 => panic!("the model has panicked"),
        _ => {
            let score = FACTOR * f64::from(input.age) + input.income / 1e3 - input.discount;
            let label = if score > 50.0 { "high" } else { "low" };
            Ok(Output { score, label: label.to_owned() })
        }
    }
}

