//! The trained model, ready to answer.

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
    /// Reads the trained artefact that is built into the program.
    ///
    /// # Errors
    /// When the artefact was damaged or does not fit this version of the crate.
    pub fn load() -> Result<Self, LoadError> {
        TreeEnsemble::parse(ARTEFACT).map(Self::from)
    }

    /// Predicts the charges in US dollars, rounded to cents.
    ///
    /// Always positive and finite, whatever the input. Inputs beyond the documented ranges are answered like the
    /// nearest ones the trees know.
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
