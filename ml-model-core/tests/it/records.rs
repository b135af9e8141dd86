//! Tests the log records of a prediction.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::common::{Input, Logged, Output, logged};
use ml_model_core::{Infer, MLModel, PendingCalls, PredictionError, Request, Violation};
use tracing::Level;
use tracing_subscriber::filter::LevelFilter;

#[derive(MLModel)]
#[ml_model(version = "1.2.3")]
#[decorate(prediction_id)]
#[decorate(logging(
    input_fields = ["prediction_id", "age", sex, "address.zip", note, r#type, bmi as body_mass_index,
                    point.1.0, "point.0 as x"],
    output_fields = ["charges", prediction_id],
))]
struct ChargesModel;
infer!(ChargesModel);

/// Returns the line of the attribute above.
fn attribute_line() -> u32 {
    let source = include_str!("records.rs");
    let lines = source.lines().zip(1..);
    lines.filter(|(line, _)| *line == "#[decorate(logging(").map(|(_, number)| number).sum()
}

fn own(records: Vec<Logged>) -> Vec<Logged> {
    records.into_iter().filter(|record| record.target == "charges_model_logger").collect()
}

fn with_age(age: u8) -> Input {
    Input { age, ..Input::example() }
}

#[test]
fn a_prediction_leaves_two_records_that_share_its_id() {
    let (prediction, records) =
        logged(LevelFilter::INFO, || ChargesModel.predict(Input::example()).unwrap());
    let id = prediction.prediction_id().unwrap().as_str();
    assert_eq!(uuid::Uuid::parse_str(id).unwrap().get_version_num(), 4);
    assert_eq!(prediction.charges, 250.0);

    let [requested, created] = own(records).try_into().unwrap();
    assert_eq!(requested.message(), "Prediction requested.");
    assert_eq!(created.message(), "Prediction created.");
    for record in [&requested, &created] {
        assert_eq!(record.level, Level::INFO);
        assert_eq!(record.get("action"), Some("predict"));
        assert_eq!(record.get("model_qualified_name"), Some("charges_model"));
        assert_eq!(record.get("model_version"), Some("1.2.3"));
        assert_eq!(record.get("prediction_id"), Some(id));
        assert!(record.file.ends_with("it/records.rs"), "{}", record.file);
        assert_eq!(record.line, attribute_line());
    }
    let fields = [
        ("age", "25"),
        ("sex", "female"),
        ("address.zip", "1010"),
        ("type", "7"),
        ("body_mass_index", "21.5"),
        ("point.1.0", "2"),
        ("x", "1"),
    ];
    for (name, value) in fields {
        assert_eq!(requested.get(name), Some(value), "{name}");
    }
    assert_eq!(
        requested.declared,
        [
            "message",
            "action",
            "model_qualified_name",
            "model_version",
            "prediction_id",
            "age",
            "sex",
            "address.zip",
            "note",
            "type",
            "body_mass_index",
            "point.1.0",
            "x"
        ],
    );
    assert_eq!(requested.get("note"), None, "None is declared and not recorded");
    assert_eq!(
        created.declared,
        [
            "message",
            "action",
            "model_qualified_name",
            "model_version",
            "prediction_id",
            "status",
            "duration_ms",
            "charges"
        ],
    );
    assert_eq!(created.get("status"), Some("success"));
    assert_eq!(created.get("charges"), Some("250.0"));
    assert!(created.get("duration_ms").unwrap().parse::<f64>().unwrap() >= 0.0);
}

#[test]
fn the_callers_id_is_kept() {
    let (prediction, records) = logged(LevelFilter::INFO, || {
        let request = Request::new(Input::example()).with_prediction_id("order-7.a:b_c");
        ChargesModel.predict(request).unwrap()
    });
    assert_eq!(prediction.prediction_id().unwrap().as_str(), "order-7.a:b_c");
    for record in own(records) {
        assert_eq!(record.get("prediction_id"), Some("order-7.a:b_c"));
    }
}

#[test]
fn records_of_the_model_are_in_a_span_with_the_id() {
    let (prediction, records) =
        logged(LevelFilter::INFO, || ChargesModel.predict(Input::example()).unwrap());
    let thinking = records.iter().find(|record| record.message() == "thinking").unwrap();
    assert_eq!(thinking.span_ids, [prediction.prediction_id().unwrap().as_str()]);
}

#[test]
fn a_failed_prediction_ends_in_an_exception_with_the_whole_chain() {
    let (error, records) =
        logged(LevelFilter::INFO, || ChargesModel.predict(with_age(40)).unwrap_err());
    let PredictionError::Model(source) = &error else { panic!("{error:?}") };
    assert!(source.downcast_ref::<crate::common::ModelError>().is_some());

    let [requested, exception] = own(records).try_into().unwrap();
    assert_eq!(requested.message(), "Prediction requested.");
    assert_eq!(exception.message(), "Prediction exception.");
    assert_eq!(exception.level, Level::ERROR);
    assert_eq!(exception.get("prediction_id"), requested.get("prediction_id"));
    assert_eq!(
        exception.names(),
        [
            "message",
            "action",
            "model_qualified_name",
            "model_version",
            "prediction_id",
            "status",
            "duration_ms",
            "error_info"
        ],
    );
    assert_eq!(exception.get("status"), Some("error"));
    assert_eq!(
        exception.get("error_info"),
        Some("no trees for age 40: invalid digit found in string"),
    );
}

#[test]
fn a_panic_is_recorded_and_continues() {
    for (age, message) in [(50, "fifty"), (51, "fifty and 1")] {
        let (panic, records) = logged(LevelFilter::INFO, || {
            catch_unwind(AssertUnwindSafe(|| ChargesModel.predict(with_age(age)))).unwrap_err()
        });
        let payload = panic
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .or_else(|| panic.downcast_ref::<String>().cloned());
        assert_eq!(payload.as_deref(), Some(message));
        let [_, exception] = own(records).try_into().unwrap();
        assert_eq!(exception.get("error_info"), Some(format!("panic: {message}").as_str()));
    }
}

#[test]
fn an_invalid_input_is_recorded_with_its_id() {
    let (error, records) = logged(LevelFilter::INFO, || {
        let violations = vec![
            Violation::new("age", "17 is less than the minimum of 18"),
            Violation::new("", "is no object"),
        ];
        ChargesModel.call(Request::invalid(violations).with_prediction_id("a")).unwrap_err()
    });
    assert!(matches!(&error, PredictionError::InvalidInput(violations) if violations.len() == 2));
    let [requested, exception] = own(records).try_into().unwrap();
    assert_eq!(requested.get("prediction_id"), Some("a"));
    assert_eq!(requested.get("age"), None);
    assert_eq!(
        exception.get("error_info"),
        Some("invalid input: age: 17 is less than the minimum of 18; is no object"),
    );
}

#[test]
fn an_invalid_id_is_replaced_and_reported() {
    let (error, records) = logged(LevelFilter::INFO, || {
        let request = Request::new(Input::example()).with_prediction_id("order 7");
        ChargesModel.predict(request).unwrap_err()
    });
    let PredictionError::InvalidInput(violations) = error else { panic!("{error:?}") };
    assert_eq!(violations[0].path, "prediction_id");
    let [requested, exception] = own(records).try_into().unwrap();
    assert_eq!(requested.get("age"), Some("25"), "the input itself is known");
    assert!(uuid::Uuid::parse_str(exception.get("prediction_id").unwrap()).is_ok());
}

#[test]
fn only_enabled_levels_are_recorded() {
    let messages = |level, age| {
        let (_, records) = logged(level, || drop(ChargesModel.predict(with_age(age))));
        own(records).iter().map(|record| record.message().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(messages(LevelFilter::OFF, 25), Vec::<String>::new());
    assert_eq!(messages(LevelFilter::OFF, 40), Vec::<String>::new());
    assert_eq!(messages(LevelFilter::WARN, 25), Vec::<String>::new());
    assert_eq!(messages(LevelFilter::WARN, 40), ["Prediction exception."]);
    assert_eq!(messages(LevelFilter::INFO, 40).len(), 2);
}

#[test]
fn with_only_errors_enabled_the_duration_is_unknown() {
    let (_, records) = logged(LevelFilter::ERROR, || drop(ChargesModel.predict(with_age(40))));
    let [exception] = own(records).try_into().unwrap();
    assert!(exception.declared.contains(&"duration_ms"));
    assert_eq!(exception.get("duration_ms"), None);
}

#[derive(MLModel)]
#[decorate(logging(level = debug, target = "audit", input_fields = [age]))]
struct QuietModel;
infer!(QuietModel);

#[test]
fn level_and_target_are_as_given() {
    let predict = || drop(QuietModel.predict(Input::example()));
    let (_, records) = logged(LevelFilter::INFO, predict);
    assert!(records.iter().all(|record| record.target != "audit"));
    let (_, records) = logged(LevelFilter::DEBUG, predict);
    let records: Vec<_> = records.iter().filter(|record| record.target == "audit").collect();
    assert_eq!(records.len(), 2);
    assert!(records.iter().all(|record| record.level == Level::DEBUG));
}

#[test]
fn without_a_prediction_id_decorator_records_have_no_such_field() {
    let (prediction, records) =
        logged(LevelFilter::DEBUG, || QuietModel.predict(Input::example()).unwrap());
    assert_eq!(prediction.prediction_id(), None);
    for record in records.iter().filter(|record| record.target == "audit") {
        assert!(!record.declared.contains(&"prediction_id"));
    }
}

#[derive(MLModel)]
#[decorate(logging(input_fields = [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, g0, g1, g2, g3, g4, g5,
    g6, g7, g8, g9, h0, h1, h2, h3, h4, h5, h6, h7, h8, h9]))]
struct WideModel;

macro_rules! wide {
    ($($field:ident)*) => {
        #[derive(schemars::JsonSchema, Default)]
        struct Wide { $($field: u8),* }
    };
}
wide!(f0 f1 f2 f3 f4 f5 f6 f7 f8 f9 g0 g1 g2 g3 g4 g5 g6 g7 g8 g9 h0 h1 h2 h3 h4 h5 h6 h7 h8 h9);

impl Infer for WideModel {
    type Input = Wide;
    type Output = f64;
    type Error = std::convert::Infallible;

    fn infer(&self, input: &Wide) -> Result<f64, Self::Error> {
        Ok(input.f0.into())
    }
}

#[test]
fn a_record_may_have_any_number_of_fields() {
    let (_, records) =
        logged(LevelFilter::INFO, || WideModel.predict(Wide { h9: 9, ..Wide::default() }));
    assert_eq!(records[0].fields.len(), 4 + 30);
    assert_eq!(records[0].fields.last(), Some(&("h9", "9".to_owned())));
}

#[test]
fn every_thread_and_subscriber_gets_its_own_records() {
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let (_, records) =
                        logged(LevelFilter::INFO, || ChargesModel.predict(Input::example()));
                    assert_eq!(own(records).len(), 2);
                }
            });
        }
    });
}

#[test]
fn output_type_is_what_infer_returns() {
    let bare: Output = ChargesModel.infer(&Input::example()).unwrap();
    let decorated: Output = ChargesModel.predict(Input::example()).unwrap().into_output();
    assert_eq!(bare, decorated);
}

/// Abandons the pending calls during each prediction.
#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging)]
struct EndingModel(Arc<PendingCalls>);

impl Infer for EndingModel {
    type Input = bool;
    type Output = bool;
    type Error = std::convert::Infallible;

    fn infer(&self, panics: &bool) -> Result<bool, Self::Error> {
        self.0.abandon("the program ends");
        assert!(!panics, "late");
        Ok(true)
    }
}

#[test]
fn an_abandoned_prediction_has_its_last_record_once() {
    for panics in [false, true] {
        let calls = Arc::new(PendingCalls::default());
        let model = EndingModel(calls.clone());
        let predict = |id: &str| {
            let mut request = Request::new(panics).with_prediction_id(id);
            request.context_mut().set_pending(calls.clone());
            catch_unwind(AssertUnwindSafe(|| model.predict(request))).is_err()
        };
        let (_, records) = logged(LevelFilter::INFO, || {
            assert_eq!(predict("during"), panics);
            // It begins after the calls were abandoned.
            assert_eq!(predict("after"), panics);
        });
        for id in ["during", "after"] {
            let of_call = records.iter().filter(|record| record.get("prediction_id") == Some(id));
            let [requested, failed] = of_call.collect::<Vec<_>>().try_into().unwrap();
            assert_eq!(requested.message(), "Prediction requested.");
            assert_eq!(failed.message(), "Prediction exception.");
            assert_eq!(failed.get("status"), Some("error"));
            assert_eq!(failed.get("error_info"), Some("the program ends"));
            assert_eq!(failed.get("model_qualified_name"), Some("ending_model"));
            assert!(failed.get("duration_ms").is_some(), "{failed:?}");
        }
        assert_eq!(calls.abandon("again"), 0);
    }
}
