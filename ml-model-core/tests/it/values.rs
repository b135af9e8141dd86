//! Tests prediction ids and log values.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZero;
use std::sync::Arc;

use ml_model_core::{InvalidPredictionId, LogValue, PredictionId};
use proptest::prelude::*;
use serde::Serialize;
use tracing::Value;
use tracing::field::{Field, Visit};
use uuid::Uuid;

#[test]
fn errors_of_ids_name_the_problem() {
    let error = |text: &str| PredictionId::try_from(text).unwrap_err();
    assert_eq!(error(""), InvalidPredictionId::Empty);
    assert_eq!(error(&"x".repeat(129)), InvalidPredictionId::TooLong { length: 129 });
    assert_eq!(error("a b"), InvalidPredictionId::Character { character: ' ', index: 1 });
    assert_eq!(
        error("a\u{7}").to_string(),
        "must consist of letters, digits, '.', '_', ':' and '-', but has '\\u{7}' at position 1"
    );
    assert!(PredictionId::try_from("x".repeat(128)).is_ok());
}

proptest! {
    #[test]
    fn an_id_is_valid_exactly_if_it_matches_the_pattern(text in "[A-Za-z0-9._:\\-]{0,130}|.{0,20}") {
        let matches = (1..=128).contains(&text.len())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "._:-".contains(c));
        let id = PredictionId::try_from(text.as_str());
        prop_assert_eq!(id.is_ok(), matches);
        if let Ok(id) = id {
            prop_assert_eq!(id.as_str(), &text);
            let json = serde_json::to_string(&id).unwrap();
            prop_assert_eq!(serde_json::from_str::<PredictionId>(&json).unwrap(), id);
        }
    }

    #[test]
    fn an_f32_is_logged_with_its_shortest_digits(number in any::<f32>()) {
        let logged = number.log_value();
        if number.is_nan() {
            prop_assert!(logged.is_nan());
        } else {
            prop_assert_eq!(logged as f32, number);
            prop_assert_eq!(logged.to_string(), number.to_string());
        }
    }
}

/// Returns the kind and text of the value that `tracing` records.
fn recorded(value: impl LogValue) -> String {
    #[derive(Default)]
    struct Recorded(String);
    impl Visit for Recorded {
        fn record_f64(&mut self, _: &Field, value: f64) {
            self.0 = format!("f64 {value}");
        }
        fn record_i64(&mut self, _: &Field, value: i64) {
            self.0 = format!("i64 {value}");
        }
        fn record_u64(&mut self, _: &Field, value: u64) {
            self.0 = format!("u64 {value}");
        }
        fn record_u128(&mut self, _: &Field, value: u128) {
            self.0 = format!("u128 {value}");
        }
        fn record_bool(&mut self, _: &Field, value: bool) {
            self.0 = format!("bool {value}");
        }
        fn record_str(&mut self, _: &Field, value: &str) {
            self.0 = format!("str {value}");
        }
        fn record_debug(&mut self, _: &Field, value: &dyn fmt::Debug) {
            self.0 = format!("debug {value:?}");
        }
    }
    static CALLSITE: tracing::callsite::DefaultCallsite =
        tracing::callsite::DefaultCallsite::new(&METADATA);
    static METADATA: tracing::Metadata<'static> = tracing::metadata! {
        name: "value", target: "test", level: tracing::Level::INFO,
        fields: tracing::fieldset!(value), callsite: &CALLSITE,
        kind: tracing::metadata::Kind::EVENT,
    };
    let field = METADATA.fields().field("value").expect("it is declared");
    let mut recorded = Recorded::default();
    value.log_value().record(&field, &mut recorded);
    recorded.0
}

#[derive(LogValue, Serialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum Region {
    NorthEast,
    #[serde(rename = "SW")]
    SouthWest,
    #[serde(rename(serialize = "se"), alias = "x")]
    SouthEast,
}

#[test]
fn every_value_is_recorded_with_its_kind() {
    let uuid = Uuid::from_u128(7);
    for (recorded, expected) in [
        (recorded(7_u8), "u64 7"),
        (recorded(-7_i32), "i64 -7"),
        (recorded(u128::MAX), "u128 340282366920938463463374607431768211455"),
        (recorded(NonZero::<u16>::MAX), "u64 65535"),
        (recorded(0.1_f32), "f64 0.1"),
        (recorded(0.1_f64), "f64 0.1"),
        (recorded(f32::INFINITY), "f64 inf"),
        (recorded(true), "bool true"),
        (recorded("text"), "str text"),
        (recorded(String::from("text")), "str text"),
        (recorded(Cow::Borrowed("text")), "str text"),
        (recorded(Arc::<str>::from("text")), "str text"),
        (recorded(Box::new(7_u8)), "u64 7"),
        (recorded('c'), "debug c"),
        (recorded(uuid), "debug 00000000-0000-0000-0000-000000000007"),
        (recorded(Some("text")), "str text"),
        (recorded(None::<u8>), ""),
        (recorded(PredictionId::from(uuid)), "str 00000000-0000-0000-0000-000000000007"),
    ] {
        assert_eq!(recorded, expected);
    }
}

/// Tests that each case rule logs the names that serde writes.
macro_rules! rules {
    ($($module:ident $rule:literal),*) => {$(
        mod $module {
            #[derive(ml_model_core::LogValue, serde::Serialize)]
            #[serde(rename_all = $rule)]
            #[allow(non_camel_case_types, clippy::upper_case_acronyms, clippy::enum_variant_names)]
            pub(super) enum Words { One, TwoWords, XGBoost, V2, HTTP, r#Snake_Case }
        }
    )*
        #[test]
        fn enums_are_logged_under_the_names_that_serde_writes() {
            $({
                use $module::Words::*;
                for word in [One, TwoWords, XGBoost, V2, HTTP, r#Snake_Case] {
                    let written = serde_json::to_value(&word).unwrap();
                    assert_eq!(word.log_value(), written.as_str().unwrap(), $rule);
                }
            })*
            for region in [Region::NorthEast, Region::SouthWest, Region::SouthEast] {
                let written = serde_json::to_value(region).unwrap();
                assert_eq!(region.log_value(), written.as_str().unwrap());
            }
        }
    };
}

rules! {
    lower "lowercase", upper "UPPERCASE", pascal "PascalCase", camel "camelCase",
    snake "snake_case", screaming "SCREAMING_SNAKE_CASE", kebab "kebab-case",
    screaming_kebab "SCREAMING-KEBAB-CASE"
}
