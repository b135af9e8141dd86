//! Parses any format string of any style, and any format of times.
#![no_main]

#[path = "../../tests/it/model/mod.rs"]
mod model;

use libfuzzer_sys::fuzz_target;
use ml_logging::{FormatError, FormatStyle, JsonFormatter, TextFormatter};
use model::{Case, Fields, Form, Held, expected, form::JsonForm, names::BUILT_IN};
use tracing::Level;

fuzz_target!(|input: (u8, &str, &str)| {
    let (style, format, time) = input;
    let style = match style % 4 {
        0 => FormatStyle::Percent,
        1 => FormatStyle::Brace,
        2 => FormatStyle::Dollar,
        _ => FormatStyle::Comma,
    };
    let json = JsonFormatter::with_style(format, style);
    if let Ok(json) = json.map_err(|error| check(format, &error)) {
        let names = json.fields().map(str::to_owned).collect();
        let timed = json.clone().date_format(time).map_err(|error| check(time, &error));
        expected::check_formatted(timed.unwrap_or(json), &case(names, format));
    }
    let text = TextFormatter::with_style(format, style);
    if let Ok(text) = text.map_err(|error| check(format, &error)) {
        let names = text.fields().map(str::to_owned).collect();
        let timed = text.clone().date_format(time).map_err(|error| check(time, &error));
        let logged = case(names, format).log_with(timed.unwrap_or(text));
        expected::lines(&logged.expect("what its format names is there").text);
    }
});

/// Checks that the column of a mistake is within the text.
fn check(text: &str, error: &FormatError) {
    let message = error.to_string();
    let (_, rest) = message.split_once(" format").expect("it says which format is at fault");
    if let Some(rest) = rest.strip_prefix(", column ") {
        let column = rest.split_once(':').and_then(|(column, _)| column.parse::<usize>().ok());
        let column = column.expect("a column is a number");
        assert!((1..=text.chars().count() + 1).contains(&column), "{message}");
    }
}

/// Logs an event with these context fields. A filter provides the fields that are not built in.
fn case(names: Vec<String>, value: &str) -> Case {
    let mut own: Vec<&String> = Vec::new();
    for name in names.iter().filter(|name| !BUILT_IN.contains(&name.as_str())) {
        // A line of text may have a field twice.
        if !own.contains(&name) {
            own.push(name);
        }
    }
    Case {
        provided: own.into_iter().map(|name| (name.clone(), value.to_owned())).collect(),
        form: Form::Json(JsonForm { fields: names, ..JsonForm::default() }),
        level: Level::INFO,
        target: value.to_owned(),
        event: Fields {
            fields: vec![("message".to_owned(), Held::Str(value.to_owned()))],
            backwards: false,
        },
        spans: Vec::new(),
    }
}
