//! Lines of text, for a terminal and in Python's format.

use crate::support::{Memory, builder, child};
use ml_logging::{
    Configuration, FormatStyle, Formatter, Handler, HostnameFilter, HumanFormatter, JsonFormatter,
    Logger, TextFormatter,
};
use proptest::prelude::*;
use tracing::{debug, error, info, info_span, level_filters::LevelFilter, trace, warn};

fn lines(formatter: impl Into<Formatter>, run: impl FnOnce()) -> Vec<String> {
    let memory = Memory::default();
    let builder = builder().formatter(formatter).filter(HostnameFilter::new());
    let (subscriber, _logging) = builder.writer(memory.clone()).build().unwrap();
    tracing::subscriber::with_default(subscriber, run);
    memory.writes()
}

fn line(formatter: impl Into<Formatter>, run: impl FnOnce()) -> String {
    let [line] = <[String; 1]>::try_from(lines(formatter, run)).unwrap();
    line
}

fn text(format: &str) -> TextFormatter {
    TextFormatter::new(format).unwrap()
}

/// Format without fields that differ each time.
fn human() -> HumanFormatter {
    HumanFormatter::new().date_format("now").unwrap()
}

#[test]
fn a_line_for_a_terminal() {
    let event = || {
        let span = info_span!("s", prediction_id = "p-1", age = 0, note = "two words");
        let _entered = span.enter();
        info!(target: "model", action = "predict", age = 25, bmi = 21.0, region = None::<&str>, ok = true, "Done.");
    };
    assert_eq!(
        line(human().color(false), event),
        "now INFO    model: Done. action=predict age=25 bmi=21.0 region=null ok=true prediction_id=p-1 note=\"two words\"\n"
    );
    assert_eq!(
        line(human().color(true), || error!(target: "model", age = 25, "Done.")),
        "\x1b[2mnow\x1b[0m \x1b[31mERROR  \x1b[0m \x1b[2mmodel\x1b[0m: Done. \x1b[2mage=\x1b[0m25\n"
    );
    // Tests do not write to a terminal.
    assert!(!line(human(), event).contains('\x1b'));
    assert_eq!(line(human(), || info!(target: "t", only = 1)), "now INFO    t:  only=1\n");
}

#[test]
fn levels_have_separate_colors() {
    let lines = lines(human().color(true), || {
        trace!("x");
        debug!("x");
        info!("x");
        warn!("x");
        error!("x");
    });
    let colours: Vec<_> =
        lines.iter().map(|line| line.split("\x1b[").nth(3).unwrap().trim_end()).collect();
    assert_eq!(colours, ["35mTRACE", "34mDEBUG", "32mINFO", "33mWARNING", "31mERROR"]);
}

#[test]
fn lines_in_the_format_of_python() {
    for (formatter, expected) in [
        (
            text("%(levelname)-8s|%(name)s|%(lineno)d%%|%(message)s"),
            "WARNING |n|LINE%|a \"b\" age=1\n",
        ),
        (text("%(levelname).1s %(message)10s %(message)s"), "W      a \"b\" a \"b\" age=1\n"),
        (
            TextFormatter::with_style("{{{levelname:>9}}} {message:^9}|", FormatStyle::Brace)
                .unwrap(),
            "{  WARNING}   a \"b\"  | age=1\n",
        ),
        (
            TextFormatter::with_style("$$ $levelname: ${message}", FormatStyle::Dollar).unwrap(),
            "$ WARNING: a \"b\" age=1\n",
        ),
    ] {
        let number = line!() + 1;
        let line = line(formatter, || warn!(target: "n", age = 1, "a \"b\""));
        assert_eq!(line, expected.replace("LINE", &number.to_string()));
    }
    let line = line(
        text("%(asctime)s.%(msecs)03d %(process)d %(hostname)s").date_format("%H:%M:%S").unwrap(),
        || info!("x"),
    );
    let mut words = line.trim_end().split(' ');
    assert_eq!(words.next().unwrap().len(), "18:09:45.971".len(), "{line}");
    assert_eq!(words.next().unwrap(), std::process::id().to_string());
}

#[test]
fn no_value_forges_a_line_or_controls_the_terminal() {
    let evil = "a\nb\r\x1b[2J\u{9b}31m\u{2028}\u{7f}\0\t\u{85}";
    let line = line(human().color(false), || {
        let span = info_span!("s", "k\x1b\n" = evil);
        let _entered = span.enter();
        info!(target: "t\n\x1b", evil, shown = %evil, "odd \"key\x07" = 1, "{evil}");
    });
    assert_eq!(line.matches('\n').count(), 1, "{line:?}");
    let rest = line.strip_suffix('\n').unwrap();
    assert!(!rest.contains(|c: char| c.is_control() || c == '\u{2028}'), "{line:?}");
    assert!(rest.contains(r"a\nb\r\u001b[2J\u009b31m\u2028\u007f\u0000\t\u0085"), "{line:?}");
    // The text of the format is escaped as well.
    let line = self::line(text("\x1b[1m\n\"%(message)s\\"), || info!("x"));
    assert_eq!(line, "\\u001b[1m\\n\"x\\\n");
}

#[test]
fn no_value_changes_the_direction_of_a_line() {
    let evil = "a\u{202a}\u{202e}b\u{2066}\u{2069}é\u{2065}\u{202f}";
    let line = line(human().color(false), || info!(target: "t", evil, "{evil}"));
    let shown = "a\\u202a\\u202eb\\u2066\\u2069é\u{2065}\u{202f}";
    assert_eq!(line, format!("now INFO    t: {shown} evil=\"{shown}\"\n"));
}

#[test]
fn texts_beyond_ascii_are_quoted_unless_plain() {
    let line = line(human().color(false), || {
        info!(target: "t", blank = "a\u{a0}b", wide = "a\u{3000}b", word = "é", "k\u{9b}31m" = 1, "k\u{2028}" = 2);
    });
    let fields = "blank=\"a\u{a0}b\" wide=\"a\u{3000}b\" word=é \"k\\u009b31m\"=1 \"k\\u2028\"=2";
    assert_eq!(line, format!("now INFO    t:  {fields}\n"));
}

#[test]
fn a_width_includes_escapes() {
    let line = line(text("%(name)8s|%(name).3s|"), || info!(target: "a\u{202e}", "x"));
    assert_eq!(line, " a\\u202e|a\\u|\n");
}

#[test]
fn each_field_is_there_once() {
    let line = line(text("%(name)s %(message)s"), || {
        let outer = info_span!("outer", a = 1, b = 1);
        let inner = info_span!(parent: &outer, "inner", b = 2, b = 3, name = 4);
        let _entered = inner.enter();
        info!(target: "t", a = 5, c = 7, a = 6, message = "first", "last");
    });
    assert_eq!(line, "t first c=7 a=6 b=3 name=4\n");
}

#[test]
fn records_of_the_log_crate_are_lines_too() {
    let output = child("text::records_of_the_log_crate_are_lines_too", &[], || {
        let formatter = text("> %(levelname)s %(name)s %(message)s");
        let _logging =
            ml_logging::builder().environment(|_| None).formatter(formatter).init().unwrap();
        log::warn!(target: "some::crate", "text");
    });
    let Some(output) = output else { return };
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.contains("> WARNING some::crate text\n"), "{stdout}");
}

#[test]
fn handlers_of_text_and_of_json_stand_side_by_side() {
    let [json, plain, errors] = [(); 3].map(|()| Memory::default());
    let format = || text("%(message)s");
    let configuration = Configuration::new()
        .environment(|_| None)
        .handler(Handler::writer("plain", plain.clone()).formatter(format()))
        .handler(
            Handler::writer("json", json.clone())
                .formatter(JsonFormatter::new("%(message)s").unwrap()),
        )
        .handler(
            Handler::writer("errors", errors.clone()).formatter(format()).level(LevelFilter::ERROR),
        )
        .logger(Logger::root().level(LevelFilter::INFO).handler("plain").handler("json"))
        .logger(Logger::new("audit").handler("errors"));
    let (subscriber, _logging) = configuration.build().unwrap();
    tracing::subscriber::with_default(subscriber, || {
        info!("one");
        error!(target: "audit", "two");
        debug!("none");
    });
    assert_eq!(plain.writes(), ["one\n", "two\n"]);
    assert_eq!(json.writes(), ["{\"message\":\"one\"}\n", "{\"message\":\"two\"}\n"]);
    assert_eq!(errors.writes(), ["two\n"]);
}

#[test]
fn a_value_that_logs_while_it_is_formatted() {
    struct Logs;
    impl std::fmt::Debug for Logs {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            info!("inner");
            f.write_str("shown")
        }
    }
    // `tracing` passes events inside other events only to the subscriber of the whole process.
    let output = child("text::a_value_that_logs_while_it_is_formatted", &[], || {
        let formatter = text("> %(message)s");
        let _logging =
            ml_logging::builder().environment(|_| None).formatter(formatter).init().unwrap();
        info!(value = ?Logs, "outer");
    });
    let Some(output) = output else { return };
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.contains("> inner\n> outer value=shown\n"), "{stdout}");
}

proptest! {
    #[test]
    fn any_text_stays_on_its_line(value: String, name: String) {
        for color in [false, true] {
            let formatter = human().color(color);
            let line = line(formatter, || {
                let span = info_span!("s", inner = value.as_str());
                let _entered = span.enter();
                info!(value = value.as_str(), shown = %name, "{value}");
            });
            let rest = line.strip_suffix('\n').unwrap();
            let ours = rest.replace("\x1b[2m", "").replace("\x1b[32m", "").replace("\x1b[0m", "");
            prop_assert!(!ours.contains(|c: char| c.is_control() || c == '\u{2028}' || c == '\u{2029}'), "{:?}", line);
        }
    }
}
