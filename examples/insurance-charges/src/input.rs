//! The model's input and output.
//!
//! The descriptions and ranges of the fields become part of the JSON schema, which callers read. The types do not
//! enforce the ranges; the service validates each request against the schema.

use ml_model_core::LogValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A customer whose insurance charges are to be predicted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InsuranceChargesModelInput {
    /// Age of primary beneficiary in years.
    #[schemars(range(min = 18, max = 65))]
    pub age: u8,
    /// Sex of beneficiary.
    pub sex: Sex,
    /// Body mass index of beneficiary.
    #[schemars(range(min = 15.0, max = 50.0))]
    pub bmi: f64,
    /// Number of children covered by health insurance.
    #[schemars(range(min = 0, max = 5))]
    pub children: u8,
    /// Whether beneficiary is a smoker.
    pub smoker: bool,
    /// Region where beneficiary lives.
    pub region: Region,
}

/// The charges predicted for a customer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InsuranceChargesModelOutput {
    /// Individual medical costs billed by health insurance to customer in US dollars, rounded to cents.
    pub charges: f64,
}

/// Sex of beneficiary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, LogValue)]
#[serde(rename_all = "lowercase")]
pub enum Sex {
    Male,
    Female,
}

/// Region where beneficiary lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, LogValue)]
#[serde(rename_all = "lowercase")]
pub enum Region {
    Southwest,
    Southeast,
    Northwest,
    Northeast,
}
