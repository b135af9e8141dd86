//! The trained model of the crate.

use std::sync::LazyLock;

use insurance_charges::{InsuranceChargesModel, InsuranceChargesModelInput, Region, Sex};
use proptest::prelude::*;

static MODEL: LazyLock<InsuranceChargesModel> =
    LazyLock::new(|| InsuranceChargesModel::load().unwrap());

fn valid_input() -> impl Strategy<Value = InsuranceChargesModelInput> {
    let sex = prop_oneof![Just(Sex::Male), Just(Sex::Female)];
    let region = prop_oneof![
        Just(Region::Southwest),
        Just(Region::Southeast),
        Just(Region::Northwest),
        Just(Region::Northeast)
    ];
    (18..=65_u8, sex, 15.0..=50.0, 0..=5_u8, any::<bool>(), region).prop_map(
        |(age, sex, bmi, children, smoker, region)| InsuranceChargesModelInput {
            age,
            sex,
            bmi,
            children,
            smoker,
            region,
        },
    )
}

#[test]
fn predictions_of_recorded_inputs() {
    let cases = [
        (
            r#"{"age":25,"sex":"male","bmi":21.0,"children":0,"smoker":false,"region":"northwest"}"#,
            3489.13,
        ),
        (
            r#"{"age":65,"sex":"male","bmi":50.0,"children":5,"smoker":true,"region":"southwest"}"#,
            49289.02,
        ),
        (
            r#"{"age":18,"sex":"female","bmi":15.0,"children":0,"smoker":false,"region":"southeast"}"#,
            2431.76,
        ),
        (
            r#"{"age":42,"sex":"female","bmi":29.9,"children":2,"smoker":true,"region":"northeast"}"#,
            26747.96,
        ),
        (
            r#"{"age":42,"sex":"female","bmi":30.5,"children":2,"smoker":true,"region":"northeast"}"#,
            40742.03,
        ),
    ];
    for (input, charges) in cases {
        let read: InsuranceChargesModelInput = serde_json::from_str(input).unwrap();
        assert_eq!(MODEL.charges(&read), charges, "{input}");
        assert_eq!(serde_json::to_string(&read).unwrap(), input);
    }
}

#[test]
fn unusual_inputs_get_a_positive_amount() {
    for bmi in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 1e300] {
        let charges = MODEL.charges(&InsuranceChargesModelInput {
            age: 255,
            sex: Sex::Male,
            bmi,
            children: 255,
            smoker: true,
            region: Region::Southwest,
        });
        assert!(charges.is_finite() && charges > 0.0, "{bmi}: {charges}");
    }
}

#[test]
fn the_schema_has_descriptions_and_ranges() {
    let schema = schemars::schema_for!(InsuranceChargesModelInput);
    let schema = serde_json::to_value(schema).unwrap();
    for field in ["age", "sex", "bmi", "children", "smoker", "region"] {
        let description = &schema["properties"][field]["description"];
        assert!(description.as_str().is_some_and(|text| text.ends_with('.')), "{field}: {schema}");
    }
    for (field, least, most) in [("age", 18.0, 65.0), ("bmi", 15.0, 50.0), ("children", 0.0, 5.0)] {
        assert_eq!(schema["properties"][field]["minimum"].as_f64(), Some(least), "{schema}");
        assert_eq!(schema["properties"][field]["maximum"].as_f64(), Some(most), "{schema}");
    }
    assert_eq!(schema["required"].as_array().map(Vec::len), Some(6), "{schema}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5000))]

    #[test]
    fn every_valid_input_gets_a_positive_amount_in_cents(input in valid_input()) {
        let charges = MODEL.charges(&input);
        prop_assert!(charges.is_finite() && charges > 0.0);
        let cents = (charges * 100.0).round();
        prop_assert_eq!(charges, cents / 100.0);
    }
}
