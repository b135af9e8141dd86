//! The numbers that the trees look at, computed in one place for training and for serving.
//!
//! Sharing this code is what rules out a model that was trained on one encoding and is asked in another.

use crate::input::{InsuranceChargesModelInput, Region, Sex};

/// How many features there are; a trained model may use fewer.
pub const COUNT: usize = Feature::ALL.len();

/// One value for each of [`Feature::ALL`], in that order.
pub type Features = [f64; COUNT];

/// A number derived from an input. Yes/no features are 1 or 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    Age,
    Bmi,
    Children,
    Smoker,
    Male,
    Southwest,
    Southeast,
    Northwest,
    Northeast,
    /// The body mass index of a smoker, 0 for anyone else: being heavy costs smokers far more.
    SmokerBmi,
    /// Whether a smoker is obese, which clinicians say of a body mass index of 30 and more.
    ObeseSmoker,
}

impl Feature {
    /// All features; a feature's place here is its place in [`Features`].
    pub const ALL: [Self; 11] = [
        Self::Age,
        Self::Bmi,
        Self::Children,
        Self::Smoker,
        Self::Male,
        Self::Southwest,
        Self::Southeast,
        Self::Northwest,
        Self::Northeast,
        Self::SmokerBmi,
        Self::ObeseSmoker,
    ];

    /// The name that the artefact uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Age => "age",
            Self::Bmi => "bmi",
            Self::Children => "children",
            Self::Smoker => "smoker",
            Self::Male => "male",
            Self::Southwest => "southwest",
            Self::Southeast => "southeast",
            Self::Northwest => "northwest",
            Self::Northeast => "northeast",
            Self::SmokerBmi => "smoker_bmi",
            Self::ObeseSmoker => "obese_smoker",
        }
    }

    /// The feature of that name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|feature| feature.name() == name)
    }
}

/// Computes every feature of an input.
pub fn features(input: &InsuranceChargesModelInput) -> Features {
    let flag = |yes: bool| f64::from(u8::from(yes));
    [
        f64::from(input.age),
        input.bmi,
        f64::from(input.children),
        flag(input.smoker),
        flag(input.sex == Sex::Male),
        flag(input.region == Region::Southwest),
        flag(input.region == Region::Southeast),
        flag(input.region == Region::Northwest),
        flag(input.region == Region::Northeast),
        if input.smoker { input.bmi } else { 0.0 },
        flag(input.smoker && input.bmi >= 30.0),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let expected = [40.0, 31.5, 2.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 31.5, 1.0];
        assert_eq!(features(&input), expected);
        let other = InsuranceChargesModelInput { smoker: false, sex: Sex::Female, ..input };
        let expected = [40.0, 31.5, 2.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0];
        assert_eq!(features(&other), expected);
    }
}
