//! Messages about mistakes in a configuration: one each, with the remedy, and without secrets.

use std::convert::Infallible;
use std::io::Write;
use std::sync::Arc;

use crate::common::ChargesModel;
use ml_model_core::{Infer, MLModel, Sensitive};
use ml_model_service::{Document, Service};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema)]
struct Order {
    items: u32,
    tier: String,
    tags: Vec<String>,
    message: Option<String>,
}

/// Its output is a bare number.
#[derive(MLModel)]
struct WeightModel;

impl Infer for WeightModel {
    type Input = Order;
    type Output = f64;
    type Error = Infallible;

    fn infer(&self, input: &Order) -> Result<f64, Infallible> {
        Ok(f64::from(input.items))
    }
}

fn service() -> Service {
    Service::new("Test").model(|| ChargesModel { gate: Arc::default() }).model(|| WeightModel)
}

/// Returns the mistakes in a file, without its name.
fn mistakes(yaml: &str) -> Vec<String> {
    with_variables(yaml, &[])
}

fn with_variables(yaml: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let mut document = Document::parse("f", yaml).unwrap();
    let variables =
        variables.iter().map(|(name, value)| (format!("ML_SERVICE__{name}"), value.to_string()));
    document.override_from("ML_SERVICE", variables).unwrap();
    let problems = service().configured(&document).unwrap_err();
    let short = |line: &str| line.replace("environment variable ML_SERVICE__", "$");
    problems.to_string().lines().map(short).collect()
}

/// Returns the mistakes in the decorators of a model, without their places.
fn in_decorators(model: &str, decorators: &str) -> Vec<String> {
    let yaml = format!("models: [{{qualified_name: {model}, decorators: {decorators}}}]");
    let mistakes = mistakes(&yaml).into_iter();
    mistakes.map(|line| line.splitn(3, ": ").last().unwrap().to_owned()).collect()
}

#[test]
fn empty_api_keys_do_not_open_the_service() {
    let expected = "server.api_keys: `api_keys` is empty; write `file:` with a path or `environment:` \
                    with the name of a variable below it, or remove the key to serve without API keys";
    for empty in ["", " ~", " null"] {
        let yaml = format!("server:\n  api_keys:{empty}\n  compression: true\n");
        assert_eq!(mistakes(&yaml), [format!("f:2: {expected}")], "{empty}");
    }
    let [mistake] = mistakes("server:\n  admin_keys:\n").try_into().unwrap();
    assert!(
        mistake.starts_with("f:2: server.admin_keys: `admin_keys` is empty; write `file:`"),
        "{mistake}"
    );
    for file in ["", "server:\n", "server: {api_keys: }\n"] {
        assert_eq!(
            with_variables(file, &[("SERVER__API_KEYS", "")]),
            [format!("$SERVER__API_KEYS: {expected}")],
            "{file}"
        );
    }
    for empty in ["{}", "{file: }", "{environment: ''}", "{file: , environment: ~}", "[]", "''"] {
        let mistakes = mistakes(&format!("server: {{api_keys: {empty}}}"));
        assert_eq!(mistakes.len(), 1, "{empty}: {mistakes:?}");
    }
}

#[test]
fn api_keys_in_the_wrong_place_are_not_shown() {
    const SECRET: &str = "sk_verysecret_0123456789";
    for (keys, expected) in [
        (
            format!("{{environment: {SECRET}}}"),
            "f:1: server.api_keys.environment: no environment variable of this name is set; name the \
             one that holds the keys",
        ),
        (
            format!("{{{SECRET}: }}"),
            "f:1: server.api_keys: unknown key; valid are `file`, `environment`",
        ),
        (SECRET.to_owned(), "f:1: server.api_keys: expected `file:` with a path or `environment:`"),
        (format!("[{SECRET}]"), "f:1: server.api_keys: expected `file:` with a path"),
        (format!("{{file: {SECRET}}}"), "f:1: server.api_keys.file: the file with the keys"),
        (
            format!("{{file: {SECRET}, environment: {SECRET}}}"),
            "f:1: server.api_keys: give `file` or `environment`, not both",
        ),
        ("{flie: x}".to_owned(), "f:1: server.api_keys: unknown key; did you mean `file`?"),
    ] {
        let [mistake] = mistakes(&format!("server: {{api_keys: {keys}}}")).try_into().unwrap();
        assert!(mistake.starts_with(expected), "{mistake}");
        assert!(!mistake.contains(SECRET), "{mistake}");
    }

    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(file, "# a comment\n{SECRET}\n").unwrap();
    let yaml = format!("server: {{api_keys: {{file: {}}}}}", file.path().display());
    let document = Document::parse("f", &yaml).unwrap();
    let service = service().configured(&document).unwrap();
    assert!(!format!("{service:?}").contains(SECRET));
}

#[test]
fn a_key_is_good_for_one_thing_only() {
    let file = |keys: &[&str]| {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(keys.join("\n").as_bytes()).unwrap();
        file
    };
    let admin = file(&["admin_0123456789abcdef", "both_0123456789abcdef"]);
    let api = file(&["both_0123456789abcdef", "api_0123456789abcdef"]);
    let yaml = |api: &tempfile::NamedTempFile| {
        let (api, admin) = (api.path().display(), admin.path().display());
        format!("server:\n  admin_keys: {{file: {admin}}}\n  api_keys: {{file: {api}}}\n")
    };
    assert_eq!(
        mistakes(&yaml(&api)),
        ["f:2: server.admin_keys: key number 2 is also one of `api_keys`: with it every \
             client could set the levels of the log; use another key"]
    );
    let other = file(&["api_0123456789abcdef", "both_0123456789abcdeF"]);
    let document = Document::parse("f", &yaml(&other)).unwrap();
    assert!(service().configured(&document).is_ok());
}

#[test]
fn values_of_environment_variables_are_not_shown() {
    const SECRET: &str = "sk-secret";
    let yaml = "models:
- qualified_name: charges_model
- qualified_name: weight_model
  decorators:
  - x
  - logging: {input_fields: [x, x, items as y, items as z, x]}
metrics: {excluded_handlers: [x]}
";
    let variables = [
        ("SERVER__API_KEYS__ENVIRONMENT", SECRET),
        ("MODELS__0__QUALIFIED_NAME", SECRET),
        ("MODELS__1__DECORATORS__0", SECRET),
        ("MODELS__1__DECORATORS__1__LOGGING__INPUT_FIELDS__0", SECRET),
        ("MODELS__1__DECORATORS__1__LOGGING__INPUT_FIELDS__1", "sk secret"),
        ("MODELS__1__DECORATORS__1__LOGGING__INPUT_FIELDS__2", "items as sk-secret"),
        ("MODELS__1__DECORATORS__1__LOGGING__INPUT_FIELDS__3", "tier as sk-secret"),
        ("MODELS__1__DECORATORS__1__LOGGING__INPUT_FIELDS__4", "sk-secret as bucketed"),
        ("METRICS__INPROGRESS_NAME", SECRET),
        ("METRICS__EXCLUDED_HANDLERS__0", "sk-secret("),
    ];
    let mistakes = with_variables(yaml, &variables);
    assert_eq!(
        mistakes,
        [
            "$METRICS__EXCLUDED_HANDLERS__0: metrics.excluded_handlers[0]: is not a regular \
             expression: unclosed group",
            "$METRICS__INPROGRESS_NAME: metrics.inprogress_name: is not the name of a metric: use \
             letters, digits and `_`, a letter first",
            "$MODELS__0__QUALIFIED_NAME: models[0].qualified_name: unknown model; valid are \
             `charges_model`, `weight_model`",
            "$MODELS__1__DECORATORS__0: models[1].decorators[0]: unknown decorator; valid are \
             `prediction_id`, `logging`, `metrics`",
            "$MODELS__1__DECORATORS__1__LOGGING__INPUT_FIELDS__0: \
             models[1].decorators[1].logging.input_fields[0]: unknown field; valid are `items`, \
             `tier`, `tags`, `message`",
            "$MODELS__1__DECORATORS__1__LOGGING__INPUT_FIELDS__1: \
             models[1].decorators[1].logging.input_fields[1]: `…` is not a field: expected `age`, \
             `address.zip`, `bmi as body_mass_index` or `hashed(customer_id)`",
            "$MODELS__1__DECORATORS__1__LOGGING__INPUT_FIELDS__3: \
             models[1].decorators[1].logging.input_fields[3]: another field has this name already: \
             choose another one",
            "$MODELS__1__DECORATORS__1__LOGGING__INPUT_FIELDS__4: \
             models[1].decorators[1].logging.input_fields[4]: `bucketed` is a policy: write \
             `bucketed(age, 10)`",
            "$SERVER__API_KEYS__ENVIRONMENT: server.api_keys.environment: no environment variable of \
             this name is set; name the one that holds the keys",
        ]
    );
    assert!(!mistakes.join("\n").contains("secret"), "{mistakes:?}");
}

#[test]
fn decorators_in_the_wrong_shape_are_told_how_to_stand() {
    let one = |decorators: &str| in_decorators("charges_model", decorators);
    assert_eq!(
        one("[{logging: , input_fields: [age]}]"),
        ["indent `input_fields` below `logging:`"]
    );
    assert_eq!(
        one("[{level: info, logging: ~, target: t}]"),
        ["indent `level`, `target` below `logging:`"]
    );
    assert_eq!(
        one("[{logging: {level: info}, target: t}]"),
        ["move `target` into `logging:`, or to an item of its own"]
    );
    assert_eq!(
        one("[{logging: {}, metrics: {}}]"),
        ["one decorator per item: begin each with a `- ` of its own"]
    );
    assert_eq!(one("prediction_id"), ["expected a list, found text; begin each item with `- `"]);
}

#[test]
fn the_order_of_a_python_service_is_turned_round() {
    let one = |decorators: &str| in_decorators("charges_model", decorators);
    let logging = "logging: {input_fields: [prediction_id]}";
    let missing =
        "no prediction id is known here: list the decorator `prediction_id` before `logging`";
    assert_eq!(one(&format!("[{logging}]")), [missing]);
    for id in ["prediction_id", "class_path: a.PredictionIDDecorator"] {
        assert_eq!(
            one(&format!("[{logging}, metrics, {id}]")),
            [
                "no prediction id is known here: list `prediction_id` before `logging`; the outermost \
                 decorator is the first here, in files of Python services the last"
            ]
        );
    }
}

#[test]
fn fields_that_cannot_be_logged_say_what_can_be_done() {
    let input = |fields: &str| {
        in_decorators("weight_model", &format!("[logging: {{input_fields: {fields}}}]"))
    };
    assert_eq!(
        input("[items as weight2, tier as weight2]"),
        ["another field is already named `weight2`: choose another name"]
    );
    assert_eq!(
        input("[items, items]"),
        ["`items` is listed twice: remove one of them, or rename it, as in `items as other_name`"]
    );
    assert_eq!(
        input("[items as message]"),
        ["every record has its own `message`: choose another name"]
    );
    assert_eq!(
        input("[message]"),
        ["every record has its own `message`: rename the field, as in `message as message_value`"]
    );
    for list in ["[tags]", "[tags.0]"] {
        assert_eq!(input(list), ["`tags` is a list: lists cannot be logged"]);
    }
    assert_eq!(input("[items.count]"), ["`items` is an integer and has no fields"]);
    assert_eq!(
        input("[itms]"),
        [
            "unknown field `itms`; did you mean `items`? Valid are `items`, `tier`, `tags`, `message`"
        ]
    );
    assert_eq!(
        in_decorators("weight_model", "[logging: {output_fields: [value]}]"),
        ["this output is a number and has no fields"]
    );
}

#[test]
fn samples_are_shares_of_predictions_with_an_id() {
    let logging = |options: &str| {
        in_decorators("charges_model", &format!("[prediction_id, logging: {options}]"))
    };
    for share in ["0", "-0.1", "1.5", "10", "10%"] {
        let expected = "expected a number above 0 and up to 1, such as 0.1";
        assert_eq!(logging(&format!("{{sample: {share}}}")), [expected], "{share}");
    }
    for duration in ["fast", "50", "'50'", "0s", "-1s"] {
        let expected = "expected a duration above 0 with its unit, such as `50ms` or `2s`";
        assert_eq!(logging(&format!("{{slow: {duration}}}")), [expected], "{duration}");
    }
    assert_eq!(
        in_decorators("charges_model", "[logging: {sample: 0.1}]"),
        ["no prediction id is known here: list the decorator `prediction_id` before `logging`"]
    );
}

#[test]
fn fields_that_yaml_divides_need_quotes() {
    let logging = |options: &str| in_decorators("weight_model", &format!("[logging: {options}]"));
    assert_eq!(
        logging("{input_fields: [items, bucketed(items, 100), tier]}"),
        ["put the field in quotes: `\"bucketed(items, 100)\"`"]
    );
    assert_eq!(
        logging("[items]"),
        [
            "expected a mapping, found a list; name it, as in `logging: {input_fields: [...], output_fields: [...]}`"
        ]
    );
}

#[test]
fn an_address_is_one_key() {
    let remedy = "write both in `address`, as in `address: 0.0.0.0:8000`";
    assert_eq!(
        mistakes("server:\n  host: 0.0.0.0\n  port: 8000\n"),
        [
            format!("f:2: server: unknown key `host`; {remedy}"),
            format!("f:3: server: unknown key `port`; {remedy}")
        ]
    );
}

#[test]
fn a_logger_that_is_nearly_the_target_is_named() {
    let yaml = "\
logging:
  version: 1
  handlers: {stdout: {class: StreamHandler}}
  loggers:
    weight_model_loger: {handlers: [stdout]}
models:
  - {qualified_name: weight_model, decorators: [logging]}
";
    assert_eq!(
        mistakes(yaml),
        [
            "f:5: logging.loggers.weight_model_loger: no handler receives the records of predictions by \
             `weight_model`, whose target is `weight_model_logger`; did you mean `weight_model_logger`?"
        ]
    );
}

#[test]
fn settings_of_own_decorators_are_checked() {
    #[derive(Deserialize)]
    struct Settings {
        #[serde(rename = "limit")]
        _limit: usize,
    }
    struct Quota;
    impl<M: MLModel> ml_model_core::Decorator<M> for Quota {}
    let mistakes = |quota: &str| {
        let yaml =
            format!("models:\n- qualified_name: weight_model\n  decorators:\n  - quota: {quota}\n");
        let document = Document::parse("f", &yaml).unwrap();
        let service = service().decorator("quota", |_: Settings| Ok::<_, Infallible>(Quota));
        service.configured(&document).map(|_| ()).unwrap_err().to_string()
    };
    let at = "f:4: models[0].decorators[0].quota:";
    assert_eq!(
        mistakes("{limit: 3, limt: 4}"),
        format!("{at} unknown key `limt`; did you mean `limit`?")
    );
    assert_eq!(
        mistakes("10"),
        format!("{at} expected a mapping with the keys `limit`, found an integer")
    );
}

/// `fn main() -> Result<(), ServeError>` prints errors by `Debug`.
#[test]
fn errors_of_main_are_readable() {
    let source = std::io::Error::other("in use");
    let listen =
        ml_model_service::ServeError::Listen { address: ([127, 0, 0, 1], 80).into(), source };
    assert_eq!(
        format!("{listen:?}"),
        "cannot listen on 127.0.0.1:80: choose another address with --address or ML_SERVICE_ADDRESS: in use"
    );
}

#[test]
fn models_that_are_listed_wrongly() {
    let twice = |first: &str, second: &str, expected: &str| {
        let mistakes = mistakes(&format!("models:\n- {first}\n- {second}\n"));
        assert_eq!(mistakes, [format!("f:3: models[1].{expected}")]);
    };
    let by_path = "class_path: a.b.ChargesModel";
    let by_name = "qualified_name: charges_model";
    for first in [by_path, by_name] {
        let key = first.split(':').next().unwrap();
        twice(
            first,
            by_path,
            &format!(
                "class_path: `ChargesModel` is listed twice, first as models[0].{key}: remove one"
            ),
        );
        twice(
            first,
            by_name,
            &format!(
                "qualified_name: `charges_model` is listed twice, first as models[0].{key}: remove one"
            ),
        );
    }
    twice(
        by_path,
        "{class_path: Weights, qualified_name: weight_model}",
        "class_path: the type of `weight_model` is `WeightModel`, not this",
    );
    twice(
        by_name,
        "qualified_name: wait_model",
        "qualified_name: unknown model `wait_model`; did you mean `weight_model`?",
    );
    // The nearest model is listed already, with other models left and without.
    twice(
        by_name,
        "qualified_name: charges_modl",
        "qualified_name: unknown model `charges_modl`; did you mean `charges_model`? That is listed \
         already, as models[0].qualified_name: remove one",
    );
    assert_eq!(
        mistakes(
            "models:\n- class_path: a.ChargesModel\n- qualified_name: weight_model\n\
             - class_path: a.ChargeModel\n- qualified_name: weihgt_model\n- qualified_name: iris\n"
        ),
        [
            "f:4: models[2].class_path: unknown model `ChargeModel`; did you mean `ChargesModel`? That \
             is listed already, as models[0].class_path: remove one",
            "f:5: models[3].qualified_name: unknown model `weihgt_model`; did you mean `weight_model`? \
             That is listed already, as models[1].qualified_name: remove one",
            "f:6: models[4].qualified_name: unknown model `iris`; all models of this program are listed \
             already",
        ]
    );
    assert_eq!(
        mistakes("models: [charges_model]"),
        [
            "f:1: models[0]: expected a mapping, found text; write `- qualified_name: ` before the name"
        ]
    );
    assert_eq!(
        mistakes("models: {qualified_name: charges_model}"),
        ["f:1: models: expected a list, found a mapping; begin each item with `- `"]
    );
}

#[test]
fn other_values_in_the_wrong_shape() {
    let address = "expected an IP address or `localhost`, and a port, as in `127.0.0.1:8000`";
    for wrong in ["8000", "example.com:8000", "localhost", "'8000'", "[a]", "true"] {
        assert_eq!(
            mistakes(&format!("server: {{address: {wrong}}}")),
            [format!("f:1: server.address: {address}")]
        );
    }
    assert_eq!(
        with_variables("", &[("SERVER__ADDRESS", "8000")]),
        [format!("$SERVER__ADDRESS: server.address: {address}")]
    );
    assert_eq!(
        mistakes("server: {request_timeout_s: 99999999999999999999}"),
        [
            "f:1: server.request_timeout_s: expected a number of seconds from 0 to 1000000000, found \
         one outside of this range"
        ]
    );
    assert_eq!(
        mistakes("metrics: true"),
        ["f:1: metrics: expected a mapping, as in `{enabled: true}`, found a boolean"]
    );
    let version = mistakes("logging: {version: '1'}");
    assert!(
        version.contains(&"f:1: logging.version: expected 1, found text".to_owned()),
        "{version:?}"
    );
}

#[test]
fn no_mistake_hides_another() {
    assert_eq!(
        mistakes(
            "models:
- qualified_name: charges_modell
  decorators:
  - loging
  - logging: {levle: info, input_fields: [a, a]}
metrics:
  inprogress_name: a b
  excluded_handlers:
  - '('
  - 1
  - ok
  - '['
"
        ),
        [
            "f:2: models[0].qualified_name: unknown model `charges_modell`; did you mean \
             `charges_model`? Valid are `charges_model`, `weight_model`",
            "f:4: models[0].decorators[0]: unknown decorator `loging`; did you mean `logging`? Valid \
             are `prediction_id`, `logging`, `metrics`",
            "f:5: models[0].decorators[1].logging.input_fields[1]: `a` is listed twice: remove one of \
             them, or rename it, as in `a as other_name`",
            "f:5: models[0].decorators[1].logging: unknown key `levle`; did you mean `level`?",
            "f:7: metrics.inprogress_name: is not the name of a metric: use letters, digits and `_`, \
             a letter first",
            "f:9: metrics.excluded_handlers[0]: is not a regular expression: unclosed group",
            "f:10: metrics.excluded_handlers[1]: expected text, found an integer; put it in quotes",
            "f:12: metrics.excluded_handlers[3]: is not a regular expression: unclosed character class",
        ]
    );
}

#[test]
fn a_sensitive_field_keeps_its_mark_in_the_schema() {
    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Customer {
        #[schemars(with = "String")]
        ssn: Sensitive<String>,
        name: Sensitive<String>,
    }

    #[derive(MLModel)]
    struct RiskModel;

    impl Infer for RiskModel {
        type Input = Customer;
        type Output = f64;
        type Error = Infallible;

        fn infer(&self, _: &Customer) -> Result<f64, Infallible> {
            Ok(0.5)
        }
    }

    for yaml in ["", "models: [{qualified_name: risk_model}]"] {
        let document = Document::parse("f", yaml).unwrap();
        let service = Service::new("Test").model(|| RiskModel);
        assert_eq!(
            service.configured(&document).unwrap_err().to_string(),
            "`ssn` in the input of `risk_model` is `Sensitive`, but its schema is not, so that messages would quote \
             the value: remove `#[schemars(with = \"...\")]` or `schema_with` from the field, or add \
             `#[schemars(extend(\"x-sensitive\" = true))]`"
        );
    }
}
