//! Property tests: for any event and any formatter the record matches the documentation.

use crate::cases;
use crate::model::{
    Case, Fields, Form, Held,
    expected::{check, check_against},
    form::{HumanForm, JsonForm},
    times,
};
use proptest::prelude::*;
use tracing::Level;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_event_in_any_spans_is_one_line_with_every_key_once(case in cases::of_json()) {
        check(&case);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_event_in_any_spans_follows_the_elastic_common_schema(case in cases::of_ecs()) {
        check(&case);
    }

    #[test]
    fn any_event_in_any_spans_is_one_line_for_a_terminal(case in cases::of_human()) {
        check(&case);
    }

    #[test]
    fn any_event_in_any_spans_is_one_line_of_any_format(case in cases::of_text()) {
        check(&case);
    }
}

fn case_of(form: Form, held: Held) -> Case {
    Case {
        form,
        provided: Vec::new(),
        level: Level::INFO,
        target: String::new(),
        event: Fields { fields: vec![("a".to_owned(), held)], backwards: false },
        spans: Vec::new(),
    }
}

/// Checks that a wrong record fails the check.
#[test]
#[should_panic(expected = "a should be")]
fn a_wrong_value_is_found() {
    let fields = vec!["message".to_owned()];
    let form = Form::Json(JsonForm { fields, ..JsonForm::default() });
    let right = case_of(form.clone(), Held::F64(1.5));
    check(&right);
    // The expected text includes the whole text of a value that fails.
    check(&case_of(form.clone(), Held::Display(vec!["written".to_owned()], true)));
    check_against(&right, &case_of(form, Held::F64(1.25)));
}

#[test]
#[should_panic(expected = "should be")]
fn a_wrong_value_is_found_in_a_line() {
    let form = Form::Human(HumanForm { color: Some(true), times: times::PYTHON });
    let right = case_of(form.clone(), Held::F64(1.5));
    check(&right);
    check_against(&right, &case_of(form, Held::F64(1.25)));
}
