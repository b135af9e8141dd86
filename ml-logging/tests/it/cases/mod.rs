//! Generators of cases for the model.
#![allow(unreachable_pub, reason = "only its tests use it")]

use ml_logging::FormatStyle;
use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
    sample::{select, subsequence},
};
use tracing::Level;

use crate::model::{
    Case, Fields, Held, SpanCase,
    form::{Align, EcsForm, Form, HumanForm, JsonForm, Part, Spec, Static, TextForm, can_name},
    names::{BUILT_IN, ECS_NAMES, NAMES},
    times::{FORMATS, Times, ZONES},
};

type Names = &'static [&'static str];

fn name(names: Names) -> impl Strategy<Value = String> {
    prop_oneof![4 => select(names).prop_map(str::to_owned), 1 => any::<String>()]
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
        // What a duration can be.
        (-9_i64..100_000).prop_map(Held::I64),
        (0.0..1e5).prop_map(Held::F64),
        any::<bool>().prop_map(Held::Bool),
        text().prop_map(Held::Str),
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

/// Any text, and such that would do harm in a line of text.
fn text() -> impl Strategy<Value = String> {
    let harm = "[a-c é\u{a0}\u{3000}=\"'\\\\\n\r\t\u{1b}\u{9b}\\[m0{}$%\u{85}\u{2028}\u{202a}-\u{202e}\u{2065}-\u{206a}]{0,12}";
    prop_oneof![2 => any::<String>(), 1 => harm, 1 => "[a-z]{1,4}([ \u{a0}\u{3000}][a-z]{1,4}){0,2}"]
}

fn fields(names: Names, most: usize) -> impl Strategy<Value = Fields> {
    (vec((name(names), held()), 0..most), any::<bool>())
        .prop_map(|(fields, backwards)| Fields { fields, backwards })
}

fn span(names: Names) -> impl Strategy<Value = SpanCase> {
    (fields(names, 8), vec((0..8_usize, held()), 0..4))
        .prop_map(|(made, recorded)| SpanCase { made, recorded })
}

/// A name that a format can hold.
fn provided_name() -> impl Strategy<Value = String> {
    let meeting = select(vec!["pod", "fields.name", "fields.fields.pod", "level", "a", "é🦀"]);
    let any_name = "[^()%]{1,12}".prop_map(String::from);
    prop_oneof![30 => any_name, 30 => meeting.prop_map(str::to_owned), 1 => built_in()]
        .prop_filter("a format cannot have it", |name| can_name(FormatStyle::Percent, name))
}

fn built_in() -> impl Strategy<Value = String> {
    select(&BUILT_IN[..]).prop_map(str::to_owned)
}

type Provided = Vec<(String, String)>;

fn provided(name: impl Strategy<Value = String>) -> impl Strategy<Value = Provided> {
    // Mostly none that is built in, with which there are no records at all.
    btree_map(name, text(), 0..4).prop_map(|provided| provided.into_iter().collect())
}

fn times() -> impl Strategy<Value = Times> {
    (option::of(select(&FORMATS[..])), select(&ZONES[..]))
        .prop_map(|(format, zone)| Times { format, zone })
}

fn style() -> impl Strategy<Value = FormatStyle> {
    use FormatStyle::{Brace, Comma, Dollar, Percent};
    select(vec![Percent, Brace, Dollar, Comma])
}

fn static_value() -> impl Strategy<Value = Static> {
    prop_oneof![
        text().prop_map(Static::Text),
        any::<i64>().prop_map(Static::Integer),
        any::<f64>().prop_map(Static::Float),
        Just(Static::Float(f64::NAN)),
        any::<bool>().prop_map(Static::Bool),
        Just(Static::Null),
    ]
}

fn statics(name: impl Strategy<Value = String>) -> impl Strategy<Value = Vec<(String, Static)>> {
    let statics = btree_map(name, static_value(), 0..4);
    statics.prop_flat_map(|statics| Just(statics.into_iter().collect::<Vec<_>>()).prop_shuffle())
}

/// What is to be in the record of `JsonFormatter`, without order.
fn json_form() -> impl Strategy<Value = (Provided, JsonForm)> {
    // A key of its own, one that may meet another, or a field of the context.
    let own = || {
        let names = name(&NAMES).prop_filter("refused", |name| name != "message");
        prop_oneof![60 => names, 20 => built_in(), 1 => Just("message".to_owned())]
    };
    let key = || prop_oneof![3 => name(&NAMES), 1 => any::<String>()];
    let added = (
        statics(own()),
        option::weighted(0.3, own()),
        vec((prop_oneof![name(&NAMES), built_in()], key()), 0..4),
        option::weighted(0.02, any::<String>()),
    );
    let context = (provided(provided_name()), subsequence(&BUILT_IN[..], 0..=BUILT_IN.len()));
    let form = (style(), "[a-z%{}$, é\n-]{0,4}", times());
    (context, added, form, any::<u64>())
        .prop_flat_map(
            |((provided, built_in), (statics, timestamp, renames, unknown), form, placed)| {
                let (style, between, times) = form;
                // Some of what the formatter adds is named by the format.
                let added = statics.iter().map(|(name, _)| name).chain(&timestamp).enumerate();
                let added =
                    added.filter(|(index, _)| placed >> index & 1 == 1).map(|(_, name)| name);
                let mut fields: Vec<String> =
                    built_in.iter().map(|name| (*name).to_owned()).collect();
                for name in provided.iter().map(|(name, _)| name).chain(added).chain(&unknown) {
                    if !fields.contains(name) && can_name(FormatStyle::Percent, name) {
                        fields.push(name.clone());
                    }
                }
                if fields.is_empty() {
                    fields.push("levelname".to_owned());
                }
                if placed >> 58 == 0 {
                    fields.push(fields[0].clone());
                }
                let times = Some(times);
                let form = JsonForm {
                    style,
                    between,
                    times,
                    renames,
                    statics,
                    timestamp,
                    fields: Vec::new(),
                };
                (Just(provided), Just(fields).prop_shuffle(), Just(form))
            },
        )
        .prop_map(|(provided, fields, form)| (provided, JsonForm { fields, ..form }))
}

fn ecs_form() -> impl Strategy<Value = (Provided, EcsForm)> {
    let key = || {
        let key = name(&ECS_NAMES).prop_filter("refused", |name| name != "message");
        prop_oneof![40 => key, 10 => Just("labels.team".to_owned()), 1 => Just("message".to_owned())]
    };
    // Objects are refused.
    let own = prop_oneof![
        20 => key().prop_filter("an object", |key| key.contains('.')),
        1 => key(),
    ];
    let excluded = prop_oneof![
        8 => select(vec!["process", "log.origin.file.line", "error", "fields.device", "message",
                         "device", "trace", "labels", "a", "fields", "event.duration", "log"])
            .prop_map(str::to_owned),
        4 => key().prop_filter("refused", |key| key != "@timestamp"),
        1 => Just("@timestamp".to_owned()),
    ];
    let filter = provided(prop_oneof![
        30 => key(),
        10 => provided_name(),
    ]);
    (filter, statics(own), vec(excluded, 0..3))
        .prop_map(|(provided, statics, excluded)| (provided, EcsForm { statics, excluded }))
}

fn human_form() -> impl Strategy<Value = HumanForm> {
    (option::of(any::<bool>()), times()).prop_map(|(color, times)| HumanForm { color, times })
}

fn spec() -> impl Strategy<Value = Spec> {
    let align = select(vec![Align::Left, Align::Right, Align::Centre]);
    prop_oneof![
        Just(Spec::Plain),
        (align, 0..12_usize, option::of(0..12_usize))
            .prop_map(|(align, width, precision)| Spec::Text { align, width, precision }),
        (any::<bool>(), 1..12_usize).prop_map(|(zeros, width)| Spec::Number { zeros, width }),
    ]
}

fn text_form() -> impl Strategy<Value = (Provided, TextForm)> {
    (provided(provided_name()), style(), times())
        .prop_flat_map(|(provided, style, times)| {
            let own: Vec<_> = provided.iter().map(|(name, _)| name.clone()).collect();
            let own = [own, BUILT_IN.map(str::to_owned).to_vec()].concat();
            let name = prop_oneof![
                200 => select(own),
                1 => provided_name(),
            ];
            let field = || (name.clone(), spec()).prop_map(|(name, spec)| Part::field(&name, spec));
            let part = prop_oneof![field(), text().prop_map(Part::Text)];
            (Just(provided), Just(style), Just(times), vec(part, 0..8), field())
        })
        .prop_map(|(provided, style, times, mut parts, field)| {
            parts.push(field);
            (provided, TextForm::new(style, parts, times))
        })
}

fn case(
    form: impl Strategy<Value = (Provided, Form)>,
    names: Names,
    most: usize,
) -> impl Strategy<Value = Case> {
    let level = select(vec![Level::TRACE, Level::DEBUG, Level::INFO, Level::WARN, Level::ERROR]);
    let spans = vec(span(names), 0..4);
    (form, level, text(), fields(names, most), spans).prop_map(
        |((provided, form), level, target, event, spans)| Case {
            form,
            provided,
            level,
            target,
            event,
            spans,
        },
    )
}

pub fn of_json() -> impl Strategy<Value = Case> {
    case(json_form().prop_map(|(provided, form)| (provided, Form::Json(form))), &NAMES, 40)
}

pub fn of_ecs() -> impl Strategy<Value = Case> {
    case(ecs_form().prop_map(|(provided, form)| (provided, Form::Ecs(form))), &ECS_NAMES, 20)
}

pub fn of_human() -> impl Strategy<Value = Case> {
    let form = (provided(provided_name()), human_form());
    case(form.prop_map(|(provided, form)| (provided, Form::Human(form))), &NAMES, 20)
}

pub fn of_text() -> impl Strategy<Value = Case> {
    case(text_form().prop_map(|(provided, form)| (provided, Form::Text(form))), &NAMES, 20)
}
