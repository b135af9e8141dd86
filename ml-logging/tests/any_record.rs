//! Whatever is logged, the record is what the documentation says.

mod model;

use model::{
    BUILT_IN, Case, Fields, Held, NAMES, SpanCase,
    expected::{check, check_against},
};
use proptest::{collection::vec, prelude::*, sample::select};
use tracing::Level;

fn name() -> impl Strategy<Value = String> {
    prop_oneof![4 => select(&NAMES[..]).prop_map(str::to_owned), 1 => any::<String>()]
}

fn held() -> impl Strategy<Value = Held> {
    let pieces = || vec(any::<String>(), 0..4);
    prop_oneof![
        any::<i64>().prop_map(Held::I64),
        any::<u64>().prop_map(Held::U64),
        any::<i128>().prop_map(Held::I128),
        any::<u128>().prop_map(Held::U128),
        any::<u64>().prop_map(|bits| Held::F64(f64::from_bits(bits))),
        select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 5e-324, f64::MAX])
            .prop_map(Held::F64),
        any::<bool>().prop_map(Held::Bool),
        any::<String>().prop_map(Held::Str),
        // Lengths around those at which texts are looked at in another way.
        "[ -~]{0,40}".prop_map(Held::Str),
        pieces().prop_map(Held::Debug),
        (pieces(), any::<bool>()).prop_map(|(pieces, fails)| Held::Display(pieces, fails)),
        vec(any::<String>(), 1..4).prop_map(Held::Error),
        vec(any::<u8>(), 0..20).prop_map(Held::Bytes),
        Just(Held::Nothing),
        Just(Held::Nothing),
    ]
}

fn fields(most: usize) -> impl Strategy<Value = Fields> {
    (vec((name(), held()), 0..most), any::<bool>())
        .prop_map(|(fields, backwards)| Fields { fields, backwards })
}

fn span() -> impl Strategy<Value = SpanCase> {
    (fields(8), vec((0..8_usize, held()), 0..4))
        .prop_map(|(made, recorded)| SpanCase { made, recorded })
}

/// A name that a format can hold, and that is not built in.
fn provided_name() -> impl Strategy<Value = String> {
    let any_name = "[^()%]{1,12}";
    let meeting = select(vec!["pod", "fields.name", "fields.fields.pod", "a", "é🦀"]);
    prop_oneof![any_name.prop_map(String::from), meeting.prop_map(str::to_owned)]
        .prop_filter("built in", |name| !BUILT_IN.contains(&name.as_str()))
}

fn case() -> impl Strategy<Value = Case> {
    let provided = proptest::collection::btree_map(provided_name(), any::<String>(), 0..4);
    let built_in = proptest::sample::subsequence(&BUILT_IN[..], 0..=BUILT_IN.len());
    let format = (provided, built_in).prop_flat_map(|(provided, built_in)| {
        let names = provided.keys().cloned().chain(built_in.into_iter().map(str::to_owned));
        let names: Vec<_> = names.collect();
        (Just(provided.into_iter().collect::<Vec<_>>()), Just(names).prop_shuffle())
    });
    let level = select(vec![Level::TRACE, Level::DEBUG, Level::INFO, Level::WARN, Level::ERROR]);
    (format, level, any::<String>(), fields(40), vec(span(), 0..4)).prop_map(
        |((provided, mut format), level, target, event, spans)| {
            if format.is_empty() {
                format.push("levelname".to_owned());
            }
            Case { format, provided, level, target, event, spans }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_event_in_any_spans_is_one_line_with_every_key_once(case in case()) {
        check(&case);
    }
}

/// A record of one event that fails the check must fail it here, too.
#[test]
#[should_panic(expected = "a should be")]
fn a_wrong_value_is_found() {
    let float = Held::F64(1.5);
    let case = |held| Case {
        format: vec!["message".to_owned()],
        provided: Vec::new(),
        level: Level::INFO,
        target: String::new(),
        event: Fields { fields: vec![("a".to_owned(), held)], backwards: false },
        spans: Vec::new(),
    };
    let right = case(float);
    check(&right);
    // The text of a value that fails is expected to be there to its end.
    let fails = Held::Display(vec!["written".to_owned()], true);
    check(&case(fails));
    check_against(&right, &case(Held::F64(1.25)));
}
