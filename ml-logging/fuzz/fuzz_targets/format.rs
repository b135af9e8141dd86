//! Any format string.
#![no_main]

#[path = "../../tests/model/mod.rs"]
mod model;

use libfuzzer_sys::fuzz_target;
use ml_logging::JsonFormatter;
use model::{BUILT_IN, Case, Fields};
use tracing::Level;

fuzz_target!(|format: &str| {
    let formatter = match JsonFormatter::new(format) {
        Ok(formatter) => formatter,
        Err(error) => {
            let text = error.to_string();
            assert!(text.starts_with("log format"), "{text}");
            if let Some((_, rest)) = text.split_once("column ") {
                let column = rest.split_once(':').and_then(|(column, _)| column.parse().ok());
                let column: usize = column.expect("a column is a number");
                // That of a percent sign, which begins what is wrong.
                assert_eq!(format.chars().nth(column - 1), Some('%'), "{text}");
            }
            return;
        }
    };
    let names: Vec<_> = formatter.fields().map(str::to_owned).collect();
    assert!(!names.is_empty());
    let own = names.iter().filter(|name| !BUILT_IN.contains(&name.as_str()));
    let case = Case {
        provided: own.map(|name| (name.clone(), format.to_owned())).collect(),
        format: names,
        level: Level::INFO,
        target: String::new(),
        event: Fields::default(),
        spans: Vec::new(),
    };
    model::expected::check_formatted(format, &case);
});
