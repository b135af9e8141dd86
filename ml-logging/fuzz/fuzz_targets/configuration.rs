//! Reads the `logging` part of any file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ml_configuration::{Document, Place, Problems};
use ml_logging::{Configuration, Filters};

fuzz_target!(|text: &str| {
    // In YAML a carriage return alone ends a line.
    let lines = text.split(['\n', '\r']).count();
    let document = match Document::parse("f", text) {
        Ok(document) => document,
        Err(problems) => return check(&problems, lines),
    };
    let mut problems = Problems::new();
    let configuration = Configuration::read(document.root(), &Filters::new(), &mut problems);
    assert_eq!(configuration.is_none(), !problems.is_empty(), "{problems}");
    if configuration.is_none() {
        check(&problems, lines);
    }
});

/// Checks that there are mistakes, each with a text and a line of the file.
fn check(problems: &Problems, lines: usize) {
    assert!(!problems.is_empty());
    for problem in problems.iter() {
        assert!(!problem.message().is_empty());
        match problem.place() {
            Some(Place::Line(line)) => {
                assert!((1..=lines).contains(line), "{problem}: {lines} lines");
            }
            Some(other) => panic!("{other:?}"),
            None => {}
        }
    }
}
