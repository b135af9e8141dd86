//! The trained model.

use std::convert::Infallible;

use ml_model_core::{Infer, MLModel};

use crate::artefact::ARTEFACT;
use crate::features::features;
use crate::input::{InsuranceChargesModelInput, InsuranceChargesModelOutput};
use crate::trees::{LoadError, TreeEnsemble};

/// Model to predict the insurance charges of a customer.
#[derive(Clone, Debug, MLModel)]
#[ml_model(
    display_name = "Insurance Charges Model",
    qualified_name = "insurance_charges_model",
    execution = inline
)]
#[decorate(prediction_id)]
#[decorate(logging(input_fields = ["age", "bmi"], output_fields = ["charges"]))]
pub struct InsuranceChargesModel {
    trees: TreeEnsemble,
}

impl Infer for InsuranceChargesModel {
    type Input = InsuranceChargesModelInput;
    type Output = InsuranceChargesModelOutput;
    type Error = Infallible;

    fn infer(&self, input: &Self::Input) -> Result<Self::Output, Infallible> {
        Ok(InsuranceChargesModelOutput { charges: self.charges(input) })
    }
}

impl InsuranceChargesModel {
    /// Parses the artefact that is compiled into the program.
    ///
    /// # Errors
    /// Fails if the artefact is damaged or has another version of the format.
    pub fn load() -> Result<Self, LoadError> {
        TreeEnsemble::parse(ARTEFACT).map(Self::from)
    }

    /// Predicts the charges in US dollars, rounded to cents.
    ///
    /// The result is positive and finite for every input. An input outside the documented ranges gets the result of
    /// the nearest leaf.
    pub fn charges(&self, input: &InsuranceChargesModelInput) -> f64 {
        let dollars = self.trees.predict(&features(input));
        (dollars * 100.0).round() / 100.0
    }
}

impl From<TreeEnsemble> for InsuranceChargesModel {
    fn from(trees: TreeEnsemble) -> Self {
        Self { trees }
    }
}
