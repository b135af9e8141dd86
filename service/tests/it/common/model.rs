//! A model whose input selects its behaviour.

#![allow(dead_code, unreachable_pub, reason = "each test uses a part")]
#![allow(clippy::unwrap_used, reason = "clippy takes only test functions for tests")]

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use ml_model_core::{Infer, LogValue, MLModel};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Time limit of a test step.
pub const DEADLINE: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema, LogValue)]
#[serde(rename_all = "lowercase")]
pub enum Sex {
    Male,
    Female,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Address {
    #[schemars(length(min = 4))]
    pub zip: String,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    #[schemars(range(min = 18, max = 65))]
    pub age: u8,
    #[schemars(range(min = 15.0, max = 50.0))]
    pub bmi: f64,
    pub sex: Option<Sex>,
    pub address: Option<Address>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    pub charges: f64,
}

/// Charges ten times the age; fails at 40, panics at 50, waits for the gate at 60.
#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging(input_fields = ["age", "bmi"], output_fields = ["charges"]))]
pub struct ChargesModel {
    pub gate: Arc<Gate>,
}

impl Infer for ChargesModel {
    type Input = Input;
    type Output = Output;
    type Error = std::io::Error;

    fn infer(&self, input: &Input) -> Result<Output, Self::Error> {
        match input.age {
            40 => return Err(std::io::Error::other("the forest is on fire")),
            50 => panic!("fifty"),
            60 => self.gate.pass(),
            _ => {}
        }
        Ok(Output { charges: f64::from(input.age) * 10.0 })
    }
}

/// Holds a prediction until the test lets it go.
#[derive(Default)]
pub struct Gate {
    state: Mutex<(usize, bool)>,
    changed: Condvar,
}

impl Gate {
    fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        state.0 += 1;
        self.changed.notify_all();
        drop(self.changed.wait_timeout_while(state, DEADLINE, |(_, is_open)| !*is_open));
    }

    /// Waits until that many predictions are held.
    pub fn wait_for(&self, held: usize) {
        let state = self.state.lock().unwrap();
        let waited = self.changed.wait_timeout_while(state, DEADLINE, |(now, _)| *now < held);
        assert!(!waited.unwrap().1.timed_out(), "there are no {held} predictions held");
    }

    pub fn open(&self) {
        self.state.lock().unwrap().1 = true;
        self.changed.notify_all();
    }
}
