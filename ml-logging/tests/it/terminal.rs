//! Output to a pseudo-terminal.

use std::{
    fs::File,
    io::Read,
    process::{Command, Stdio},
};

use crate::support::{command, is_child};
use ml_configuration::{Document, Problems};
use ml_logging::{Configuration, Filters};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use tracing::info;

/// Returns the output of a program whose standard output is a terminal.
fn shown(mut command: Command) -> String {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let output = File::options().write(true).open(name.to_str().unwrap()).unwrap();
    let mut program = command.stdout(output).stderr(Stdio::null()).spawn().unwrap();
    // The command holds the other end of the terminal.
    drop(command);
    let mut text = Vec::new();
    // The end of the output of a terminal is an error.
    let _ = File::from(terminal).read_to_end(&mut text);
    assert!(program.wait().unwrap().success());
    String::from_utf8(text).unwrap()
}

fn without_color(test: &str, value: &str) -> Command {
    let mut command = command(test);
    command.env("NO_COLOR", value);
    command
}

#[test]
fn terminals_get_colors_unless_the_environment_turns_them_off() {
    let test = "terminal::terminals_get_colors_unless_the_environment_turns_them_off";
    if is_child() {
        let _logging = ml_logging::builder().init().unwrap();
        return info!(target: "t", age = 25, "Here.");
    }
    let text = shown(command(test));
    assert!(
        text.contains(" \x1b[32mINFO   \x1b[0m \x1b[2mt\x1b[0m: Here. \x1b[2mage=\x1b[0m25\r\n"),
        "{text:?}"
    );
    let text = shown(without_color(test, "1"));
    assert!(text.contains(" INFO    t: Here. age=25\r\n") && !text.contains('\x1b'), "{text:?}");
    let text = shown(without_color(test, ""));
    assert!(text.contains("\x1b[32mINFO"), "{text:?}");
    // Not a terminal.
    let output = String::from_utf8(command(test).output().unwrap().stdout).unwrap();
    assert!(output.contains("\"message\":\"Here.\",\"age\":25}\n"), "{output:?}");
}

#[test]
fn a_configured_format_is_used_for_terminals_too() {
    let test = "terminal::a_configured_format_is_used_for_terminals_too";
    if is_child() {
        let _logging = ml_logging::builder().format("%(message)s").init().unwrap();
        return info!("Here.");
    }
    let text = shown(command(test));
    assert!(text.contains("{\"message\":\"Here.\"}\r\n"), "{text:?}");
}

#[test]
fn handlers_of_a_file_detect_terminals() {
    let test = "terminal::handlers_of_a_file_detect_terminals";
    if is_child() {
        let text = "
version: 1
formatters:
  human: {class: HumanFormatter, datefmt: '%z', time_zone: +05:30}
  plain: {class: HumanFormatter, datefmt: now, color: false}
handlers:
  coloured: {class: StreamHandler, stream: ext://sys.stdout, formatter: human}
  plain: {class: StreamHandler, stream: ext://sys.stdout, formatter: plain}
  json: {class: StreamHandler, stream: ext://sys.stdout}
root: {level: INFO, handlers: [coloured, plain, json]}
";
        let document = Document::parse("f", text).unwrap();
        let mut problems = Problems::new();
        let configuration = Configuration::read(document.root(), &Filters::new(), &mut problems);
        assert!(problems.is_empty(), "{problems}");
        let _logging = configuration.unwrap().environment(|_| None).init().unwrap();
        return info!(target: "t", "Here.");
    }
    let text = shown(command(test));
    assert!(text.contains("\x1b[2m+0530\x1b[0m \x1b[32mINFO   \x1b[0m"), "{text:?}");
    assert!(text.contains("now INFO    t: Here.\r\n"), "{text:?}");
    assert!(text.contains(",\"levelname\":\"INFO\",\"message\":\"Here.\"}\r\n"), "{text:?}");
    // Not a terminal.
    let output = String::from_utf8(command(test).output().unwrap().stdout).unwrap();
    assert!(output.contains("+0530 INFO    t: Here.\n") && !output.contains('\x1b'), "{output:?}");
}
