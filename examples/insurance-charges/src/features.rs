//! The numbers that the trees look at, computed in one place for training and for serving.
//!
//! Sharing this code is what rules out a model that was trained on one encoding and is asked in another.

use crate::input::InsuranceChargesModelInput;

/// How many features there are; a trained model may use fewer.
pub const COUNT: usize = Feature::ALL.len();

/// One value for each of [`Feature::ALL`], in that order.
pub type Features = [f64; COUNT];

/// A number derived from an input. Yes/no features are 1 or 0.
///
/// Sex and region are not among them: cross-validation was better without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    Age,
    Bmi,
    Children,
    Smoker,
    /// The body mass index of a smoker, 0 for anyone else: being heavy costs smokers far more.
    SmokerBmi,
}

impl Feature {
    /// All features; a feature's place here is its place in [`Features`].
    pub const ALL: [Self; 5] =
        [Self::Age, Self::Bmi, Self::Children, Self::Smoker, Self::SmokerBmi];

    /// The name that the artefact uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Age => "age",
            Self::Bmi => "bmi",
            Self::Children => "children",
            Self::Smoker => "smoker",
            Self::SmokerBmi => "smoker_bmi",
        }
    }

    /// The feature of that name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|feature| feature.name() == name)
    }
}

/// Computes every feature of an input.
pub fn features(input: &InsuranceChargesModelInput) -> Features {
    [
        f64::from(input.age),
        input.bmi,
        f64::from(input.children),
        f64::from(u8::from(input.smoker)),
        if input.smoker { input.bmi } else { 0.0 },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{Region, Sex};

    #[test]
    fn a_feature_is_found_by_its_name_and_stands_at_its_own_place() {
        for (place, feature) in Feature::ALL.into_iter().enumerate() {
            assert_eq!(feature as usize, place);
            assert_eq!(Feature::from_name(feature.name()), Some(feature));
        }
        assert_eq!(Feature::from_name("height"), None);
    }

    #[test]
    fn an_input_becomes_the_numbers_in_order() {
        let input = InsuranceChargesModelInput {
            age: 40,
            sex: Sex::Male,
            bmi: 31.5,
            children: 2,
            smoker: true,
            region: Region::Northwest,
        };
        assert_eq!(features(&input), [40.0, 31.5, 2.0, 1.0, 31.5]);
        let other = InsuranceChargesModelInput { smoker: false, sex: Sex::Female, ..input };
        assert_eq!(features(&other), [40.0, 31.5, 2.0, 0.0, 0.0]);
    }
}
