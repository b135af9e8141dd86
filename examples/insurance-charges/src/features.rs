//! The numbers that the trees split on.
//!
//! Training and serving share this code, so that both encode an input in the same way.

use crate::input::InsuranceChargesModelInput;

/// Number of features. A trained model may use fewer.
pub const COUNT: usize = Feature::ALL.len();

/// One value for each of [`Feature::ALL`], in that order.
pub type Features = [f64; COUNT];

/// A number derived from an input. Boolean features are 1 or 0.
///
/// Sex and region are left out because they lowered the cross-validation scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    Age,
    Bmi,
    Children,
    Smoker,
    /// The body mass index of a smoker, and 0 for a non-smoker: a high one costs smokers far more.
    SmokerBmi,
}

impl Feature {
    /// All features, in the order of [`Features`].
    pub const ALL: [Self; 5] =
        [Self::Age, Self::Bmi, Self::Children, Self::Smoker, Self::SmokerBmi];

    /// Returns the name in the artefact.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Age => "age",
            Self::Bmi => "bmi",
            Self::Children => "children",
            Self::Smoker => "smoker",
            Self::SmokerBmi => "smoker_bmi",
        }
    }

    /// Finds a feature by its name.
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
    fn features_are_found_by_name_and_ordered_by_discriminant() {
        for (index, feature) in Feature::ALL.into_iter().enumerate() {
            assert_eq!(feature as usize, index);
            assert_eq!(Feature::from_name(feature.name()), Some(feature));
        }
        assert_eq!(Feature::from_name("height"), None);
    }

    #[test]
    fn features_of_an_input_are_in_order() {
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
