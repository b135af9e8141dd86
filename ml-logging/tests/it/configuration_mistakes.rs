//! Reports of mistakes in the `logging` part of a file.

use crate::support::mistakes_with;
use ml_configuration::{Document, Problems};
use ml_logging::{Configuration, ContextFilter, Filters};
use proptest::{collection::vec, prelude::*, sample::select};

fn mistakes(text: &str) -> String {
    mistakes_with(text, &Filters::new())
}

/// Appends a handler `h` of the root logger, from line 100 on.
fn in_place(text: &str) -> String {
    let rest = "version: 1\nroot: {handlers: [h]}\n";
    mistakes(&format!("{text}{}{rest}", "\n".repeat(99 - text.lines().count())))
}

#[test]
fn everything_at_once() {
    let text = r#"
version: 2
formaters: {}
formatters:
  json:
    class: pythonjsonlogger.jsonlogger.JsonFormater
    format: "%(asctime)s %(message"
    stile: "%"
filters:
  env: {(): EnvironmentInfoFilter, env_variables: NODE_IP}
  host: {class: Hostfilter}
  other: {env_variables: []}
handlers:
  stdout:
    class: logging.StreamHandler
    level: INOF
    stream: sys.stdout
    formatter: jsno
    filters: [evn, host]
  file: {class: logging.FileHandler, mode: r}
  rotating: {class: rich.logging.RichHandler, host: there}
loggers:
  hyper: {level: debg, handlers: [stdot], propagate: maybe, filters: [host]}
  root: {handlers: stdout}
root: {level: 10.5}
"#;
    // Known only with the feature.
    let found = mistakes(text).replace(", `OtlpHandler`", "");
    assert_eq!(
        found,
        "2: version: expected 1, found another integer\n\
         3: unknown key `formaters`; did you mean `formatters`?\n\
         6: formatters.json.class: unknown formatter class `JsonFormater`; did you mean `JsonFormatter`? Valid are `JsonFormatter`, `EcsFormatter`, `HumanFormatter`, `Formatter`, `StdlibFormatter`, `OrjsonFormatter`, `MsgspecFormatter`\n\
         7: formatters.json.format: log format, column 13: `%(` is never closed; write a field as `%(message)s`, a percent sign as `%%`\n\
         8: formatters.json: unknown key `stile`; did you mean `style`?\n\
         10: filters.env.env_variables: expected a list, found text; begin each item with `- `\n\
         11: filters.host.class: unknown filter class `Hostfilter`; valid are `HostnameFilter`, `EnvironmentInfoFilter`, `Filter`\n\
         12: filters.other: the key `class` is missing; write for example `class: HostnameFilter`\n\
         16: handlers.stdout.level: unknown level `INOF`; did you mean `INFO`? Valid are `CRITICAL`, `FATAL`, `ERROR`, `WARNING`, `WARN`, `INFO`, `DEBUG`, `TRACE`, `OFF`, `NOTSET`\n\
         17: handlers.stdout.stream: unknown stream `sys.stdout`; valid are `ext://sys.stdout`, `ext://sys.stderr`\n\
         18: handlers.stdout.formatter: unknown formatter `jsno`; did you mean `json`?\n\
         19: handlers.stdout.filters[0]: unknown filter `evn`; did you mean `env`? Valid are `env`, `host`, `other`\n\
         20: handlers.file: the key `filename` is missing\n\
         20: handlers.file.mode: unknown mode `r`; valid are `a`, `w`, `a+`, `w+`, `at`, `wt`\n\
         21: handlers.rotating.class: unknown handler class `RichHandler`; valid are `StreamHandler`, `FileHandler`, `WatchedFileHandler`, `RotatingFileHandler`, `TimedRotatingFileHandler`, `NullHandler`\n\
         23: loggers.hyper.level: unknown level `debg`; did you mean `DEBUG`? Valid are `CRITICAL`, `FATAL`, `ERROR`, `WARNING`, `WARN`, `INFO`, `DEBUG`, `TRACE`, `OFF`, `NOTSET`\n\
         23: loggers.hyper.propagate: expected true or false, found text\n\
         23: loggers.hyper.handlers[0]: unknown handler `stdot`; did you mean `stdout`? Valid are `stdout`, `file`, `rotating`\n\
         23: loggers.hyper.filters: filters belong to handlers; name them there and remove the key\n\
         24: loggers.root.handlers: expected a list, found text; begin each item with `- `\n\
         25: root: this is the same logger as `root`; merge them\n\
         25: root.level: unknown level `10.5`; valid are `CRITICAL`, `FATAL`, `ERROR`, `WARNING`, `WARN`, `INFO`, `DEBUG`, `TRACE`, `OFF`, `NOTSET`"
    );
}

#[test]
fn an_unknown_field_is_reported_with_the_remedy() {
    let config = |format: &str, filters: &str| {
        in_place(&format!(
            "formatters: {{f: {{class: JsonFormatter, format: \"{format}\"}}}}\n\
             filters:\n  env: {{class: EnvironmentInfoFilter, env_variables: [NODE_IP]}}\n  \
             host: {{class: HostnameFilter}}\n\
             handlers:\n  h: {{class: StreamHandler, formatter: f, filters: [{filters}]}}\n  \
             g: {{class: StreamHandler, formatter: f}}\n"
        ))
    };
    assert_eq!(config("%(node_ip)s %(hostname)s", "env, host"), "");
    assert_eq!(
        config("%(node_ip)s %(hostname)s", ""),
        "1: formatters.f.format: nothing provides the field `node_ip`; add the filter `env` to one of the handlers `h`, `g`\n\
         1: formatters.f.format: nothing provides the field `hostname`; add the filter `host` to one of the handlers `h`, `g`"
    );
    assert_eq!(
        config("%(node_pi)s %(levlname)s", "env"),
        "1: formatters.f.format: nothing provides the field `node_pi`; did you mean `node_ip`?\n\
         1: formatters.f.format: nothing provides the field `levlname`; did you mean `levelname`?"
    );
    let text = config("%(message)s %(pod_name)s", "env");
    assert!(
        text.starts_with(
            "1: formatters.f.format: nothing provides the field `pod_name`; remove it, or add a filter \
             that does to one of the handlers `h`, `g`; for an environment variable write \
             `{class: EnvironmentInfoFilter, env_variables: [POD_NAME]}`; built-in fields are asctime, "
        ),
        "{text}"
    );
    // A name near a filter's field: the message names the field and the filter to add.
    assert_eq!(
        config("%(hostnam)s %(node_pi)s", ""),
        "1: formatters.f.format: nothing provides the field `hostnam`; did you mean `hostname`? If so, add the filter `host` to one of the handlers `h`, `g` as well\n\
         1: formatters.f.format: nothing provides the field `node_pi`; did you mean `node_ip`? If so, add the filter `env` to one of the handlers `h`, `g` as well"
    );
    for (handlers, to) in [
        ("{h: {class: StreamHandler, formatter: f}}", " to the handler `h`"),
        ("{h: {class: StreamHandler}}", ""),
    ] {
        assert_eq!(
            in_place(&format!(
                "formatters: {{f: {{class: JsonFormatter, format: \"%(hostnam)s\"}}}}\n\
                 handlers: {handlers}\n"
            )),
            format!(
                "1: formatters.f.format: nothing provides the field `hostnam`; did you mean `hostname`? \
                 If so, add a filter `{{class: HostnameFilter}}`{to} as well"
            )
        );
    }
    let text = in_place(
        "formatters: {f: {class: JsonFormatter, format: \"%(hostname)s\"}}\n\
         handlers: {h: {class: StreamHandler, formatter: f}}\n",
    );
    assert!(
        text.contains(
            "add a filter that does, such as `{class: HostnameFilter}`, to the handler `h`;"
        ),
        "{text}"
    );
    // Consequences of a mistake in a filter are not reported.
    assert_eq!(
        in_place(
            "formatters: {f: {class: JsonFormatter, format: \"%(node_ip)s\"}}\n\
             filters: {env: {class: EnvironmentInfoFilter}}\n\
             handlers: {h: {class: StreamHandler, formatter: f, filters: [env]}}\n"
        ),
        "2: filters.env: the key `env_variables` is missing"
    );
}

#[test]
fn an_unused_formatter_may_name_the_fields_of_all_filters() {
    let config = |format: &str, filters: &str| {
        in_place(&format!(
            "formatters: {{f: {{class: JsonFormatter, format: \"{format}\"}}}}\n\
             filters: {{{filters}}}\nhandlers: {{h: {{class: StreamHandler}}}}\n"
        ))
    };
    let host = "host: {class: HostnameFilter}";
    assert_eq!(config("%(hostname)s %(message)s", host), "");
    assert_eq!(
        config("%(hostnam)s %(levlname)s", host),
        "1: formatters.f.format: nothing provides the field `hostnam`; did you mean `hostname`?\n\
         1: formatters.f.format: nothing provides the field `levlname`; did you mean `levelname`?"
    );
    let text = config("%(pod_name)s", host);
    assert!(
        text.starts_with(
            "1: formatters.f.format: nothing provides the field `pod_name`; remove it, or add a filter \
             that does; for an environment variable write \
             `{class: EnvironmentInfoFilter, env_variables: [POD_NAME]}`; built-in fields are asctime, "
        ),
        "{text}"
    );
    // The invalid filter might provide the field.
    assert_eq!(
        config("%(hostnam)s", "host: {class: HostnamFilter}"),
        "2: filters.host.class: unknown filter class `HostnamFilter`; did you mean \
         `HostnameFilter`? Valid are `HostnameFilter`, `EnvironmentInfoFilter`, `Filter`"
    );
}

#[test]
fn fields_of_filters_that_collide() {
    struct Field(&'static str, &'static str);
    impl ContextFilter for Field {
        fn fields(&self) -> Vec<(String, String)> {
            vec![(self.0.to_owned(), self.1.to_owned())]
        }
    }
    let filters = Filters::new()
        .with("One", |_, _| Some(Field("a", "1")))
        .with("Same", |_, _| Some(Field("a", "1")))
        .with("Two", |_, _| Some(Field("a", "2")))
        .with("BuiltIn", |_, _| Some(Field("message", "x")));
    let text = |used: &str| {
        format!(
            "version: 1\nfilters: {{One: {{class: One}}, Same: {{class: Same}}, Two: {{class: Two}}}}\n\
             handlers:\n  h:\n    class: StreamHandler\n    filters: [{used}]\nroot: {{handlers: [h]}}"
        )
    };
    assert_eq!(mistakes_with(&text("One, One, Same"), &filters), "");
    assert_eq!(
        mistakes_with(&text("One, Two"), &filters),
        "6: handlers.h.filters: two of these filters provide the field `a` with different values; remove one of them"
    );
    assert_eq!(
        mistakes_with(
            "version: 1\nfilters: {b: {class: BuiltIn}}\nhandlers: {h: {class: StreamHandler}}\nroot: {handlers: [h]}",
            &filters
        ),
        "2: filters.b: the filter provides `message`, which is built in"
    );
    assert_eq!(
        mistakes_with(
            "version: 1\nfilters: {b: {class: One, x: 1, prefix: 2}}\nhandlers: {h: {class: StreamHandler}}\nroot: {handlers: [h]}",
            &filters
        ),
        "2: filters.b: unknown key `x`; valid are `class`, `()`\n\
         2: filters.b: unknown key `prefix`; valid are `class`, `()`"
    );
}

#[test]
fn unsupported_keys_of_python() {
    for (formatter, expected) in [
        (
            "{class: JsonFormatter, style: '['}",
            "style: unknown style `[`; valid are `%`, `{`, `$`, `,`",
        ),
        ("{class: Formatter, style: ','}", "style: unknown style `,`; valid are `%`, `{`, `$`"),
        (
            "{class: JsonFormatter, datefmt: '%H:%i'}",
            "datefmt: time format, column 4: `%i` is not a directive of `strftime`; write for example `%Y-%m-%dT%H:%M:%S.%f%z`, and a percent sign as `%%`",
        ),
        (
            "{class: HumanFormatter, time_zone: Europe/Berln}",
            "time_zone: unknown time zone; did you mean `Europe/Berlin`?",
        ),
        (
            "{class: JsonFormatter, time_zone: 2}",
            "time_zone: expected text, found an integer; put it in quotes",
        ),
        (
            "{class: JsonFormatter, style: '{', format: '{message'}",
            "format: log format, column 1: `{` is never closed; write a field as `{message}`, braces as `{{` and `}}`",
        ),
        (
            "{class: JsonFormatter, format: [message, 5]}",
            "format[1]: expected text, found an integer; put it in quotes",
        ),
        (
            "{class: JsonFormatter, rename_fields: {levelname: message}}",
            "rename_fields.levelname: two fields of a record would have the key `message`; choose another name for one of them",
        ),
        (
            "{class: JsonFormatter, rename_fields: {level: levelname}}",
            "rename_fields.level: `level` would be renamed to `levelname`, which every record has already; the present \
             name comes first: to write `levelname` under the key `level`, swap them, or else choose another name",
        ),
        (
            "{class: JsonFormatter, rename_fields: {msecs: ms}}",
            "rename_fields.msecs: the format does not name `msecs`; name it there, or remove it here",
        ),
        (
            "{class: JsonFormatter, rename_fields: {age: }}",
            "rename_fields.age: expected text, found nothing",
        ),
        (
            "{class: JsonFormatter, static_fields: {a: [1]}}",
            "static_fields.a: a static field is text, a number, a boolean or `null`, not a list",
        ),
        (
            "{class: JsonFormatter, static_fields: {message: x}}",
            "static_fields.message: a static field `message` would hide what is logged; give it another name",
        ),
        (
            "{class: JsonFormatter, static_fields: {at: x}, timestamp: at}",
            ": two fields of a record would have the key `at`; choose another name for one of them",
        ),
        (
            "{class: JsonFormatter, timestamp: 1}",
            "timestamp: expected true or false, found an integer",
        ),
        (
            "{class: JsonFormatter, json_indent: 2}",
            "json_indent: a record is one line; remove the key",
        ),
        (
            "{class: JsonFormatter, json_ensure_ascii: true}",
            "json_ensure_ascii: records are UTF-8, which JSON parsers read alike; remove the key",
        ),
        (
            "{class: JsonFormatter, json_encoder: a.B}",
            "json_encoder: this names Python code, and all values are known here; remove the key",
        ),
        (
            "{class: JsonFormatter, prefix: x}",
            "prefix: a line with something before its object is not JSON; remove the key",
        ),
        (
            "{class: JsonFormatter, defaults: {a: 1}}",
            "defaults: write them as `static_fields`, and remove the key",
        ),
        (
            "{class: Formatter, rename_fields: {a: b}}",
            ": unknown key `rename_fields`; valid are `class`, `()`, `validate`, `style`, `format`, `fmt`, `datefmt`, `time_zone`, `defaults`",
        ),
        ("{class: HumanFormatter, color: red}", "color: expected true or false, found text"),
        (
            "{class: EcsFormatter, defaults: {a: 1}}",
            "defaults: write them as `extra`, and remove the key",
        ),
        (
            "{class: EcsFormatter, exclude_fields: ['@timestamp']}",
            ": the Elastic Common Schema requires `@timestamp` in every record; it cannot be excluded",
        ),
        (
            "{class: ecs_logging.StdlibFormatter, extra: {service: x}}",
            ": `service` is an object of the Elastic Common Schema; name a field in it, as `service.name`",
        ),
        (
            "{class: ecs_logging.StdlibFormatter, extra: {message: x}}",
            "extra.message: a static field `message` would hide what is logged; give it another name",
        ),
        (
            "{class: JsonFormatter, (): JsonFormatter}",
            "(): `()` and `class` mean the same; remove one of them",
        ),
        (
            "{class: JsonFormatter, format: \"%(message)s\", fmt: x}",
            "fmt: `fmt` and `format` mean the same; remove one of them",
        ),
        (
            "{class: JsonFormatter, format: x}",
            "format: log format: it names no field; write for example `%(asctime)s %(levelname)s %(message)s`; built-in fields are asctime, created, msecs, name, levelname, levelno, message, pathname, filename, lineno, module, process, thread, threadName",
        ),
        ("{class: JsonFormatter, style: '%', datefmt: , format: }", ""),
        ("{class: JsonFormatter, prefix: '', json_indent: , exc_info_as_array: false}", ""),
        ("{class: JsonFormatter, json_ensure_ascii: false, timestamp: false}", ""),
        ("{class: pythonjsonlogger.orjson.OrjsonFormatter, timestamp: at}", ""),
        ("{(): pythonjsonlogger.msgspec.MsgspecFormatter, fmt: [message]}", ""),
        ("{class: StdlibFormatter, extra: {service: {name: x}}, ensure_ascii: false}", ""),
    ] {
        let text =
            format!("formatters: {{f: {formatter}}}\nhandlers: {{h: {{class: StreamHandler}}}}\n");
        let expected = match expected {
            "" => String::new(),
            whole if whole.starts_with(':') => format!("1: formatters.f{whole}"),
            key => format!("1: formatters.f.{key}"),
        };
        assert_eq!(in_place(&text), expected, "{formatter}");
    }
    let text = "formatters: {f: {format: \"%(message)s\"}}\nhandlers: {h: {class: StreamHandler}}\nincremental: true\n";
    assert_eq!(in_place(text), "3: incremental: the logging is set up only once; remove the key");
}

#[test]
fn names_of_loggers_that_directives_cannot_contain() {
    let config = |name: &str| {
        mistakes(&format!(
            "version: 1\nhandlers: {{h: {{class: StreamHandler}}}}\nroot: {{handlers: [h]}}\n\
             loggers: {{{name}: {{level: DEBUG}}}}"
        ))
    };
    for (name, problem) in [
        ("\"a,b\"", "must not contain `,`, `;`, `=`, `[`, `]`, `{` or `}`"),
        ("a;b", "must not contain"),
        ("a=b", "must not contain"),
        ("\" a\"", "must not start or end with a blank"),
        ("\"::\"", "must not consist of separators only; the root is `root`"),
    ] {
        let mistake = config(name);
        let line = mistake.lines().find(|line| line.starts_with("4: loggers")).unwrap();
        assert!(line.contains(&format!("the name of a logger {problem}")), "{mistake}");
    }
    assert_eq!(config("größe.ab-1"), "");
}

#[test]
fn a_configuration_that_logs_nothing_is_a_mistake() {
    let remedy = "no logger has a handler, nothing would be logged; add `root: {level: INFO, handlers: [...]}` with one of the handlers";
    assert_eq!(mistakes("version: 1"), format!("1: {remedy}"));
    assert_eq!(mistakes("version: 1\nroot: {level: INFO, handlers: }"), format!("1: {remedy}"));
    assert_eq!(mistakes(""), "1: the key `version` is missing; write `version: 1`");
    assert_eq!(
        mistakes("[]"),
        "1: expected a mapping, found a list; write its keys below, as in `key: value`"
    );
}

const PIECES: [&str; 58] = [
    "version: 1\n",
    "formatters:\n",
    "filters:\n",
    "handlers:\n",
    "loggers:\n",
    "root:\n",
    "  a:\n",
    "  b:\n",
    "  root:\n",
    "    class: ",
    "    (): ",
    "JsonFormatter\n",
    "HostnameFilter\n",
    "EnvironmentInfoFilter\n",
    "logging.StreamHandler\n",
    "FileHandler\n",
    "    level: ",
    "INFO\n",
    "20\n",
    "NOTSET\n",
    "    handlers: [a]\n",
    "    handlers: [a, b]\n",
    "    filters: [a]\n",
    "    formatter: a\n",
    "    format: \"%(message)s\"\n",
    "    format: \"%(hostname)s %(x)s\"\n",
    "    stream: ext://sys.stdout\n",
    "    filename: x\n",
    "    mode: w\n",
    "    env_variables: [X, x]\n",
    "    env_variables: [A]\n",
    "  level: INFO\n",
    "  handlers: [a]\n",
    "    propagate: no\n",
    "null\n",
    "[]\n",
    "x\n",
    "{}\n",
    "incremental: false\n",
    "EcsFormatter\n",
    "HumanFormatter\n",
    "logging.Formatter\n",
    "    datefmt: \"%H %f %z\"\n",
    "    time_zone: +02:00\n",
    "    style: \"{\"\n",
    "    rename_fields: {message: m, a: b}\n",
    "    static_fields: {a: 1, b: {c: x}}\n",
    "    timestamp: yes\n",
    "    static_fields: cfg://formatters\n",
    "    static_fields: cfg://formatters.a\n",
    "    filename: cfg://handlers.a.filename\n",
    "    handlers: cfg://loggers.a.handlers\n",
    "    handlers: [\"cfg://root\", \"cfg://loggers[0]\"]\n",
    "ext://sys.stdout\n",
    "logging.NullHandler\n",
    "logging.handlers.QueueHandler\n",
    "    name: a.b\n",
    "    propagate: 0\n",
];

proptest! {
    #[test]
    fn no_file_makes_the_reader_panic(pieces in vec(select(&PIECES[..]), 0..30)) {
        if let Ok(document) = Document::parse("f", &pieces.concat()) {
            let mut problems = Problems::new();
            let read = Configuration::read(document.root(), &Filters::new(), &mut problems);
            prop_assert_eq!(read.is_none(), !problems.is_empty());
        }
    }
}
