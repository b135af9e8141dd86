//! Choices of a configuration: models with a configuration of their own, decorators of the program,
//! several models in one service.

use std::convert::Infallible;
use std::sync::Arc;

use crate::common::{ChargesModel, Gate, Running, log, records};
use ml_model_core::{Answer, Decorator, Infer, MLModel, PredictionError, RegisteredModel, Request};
use ml_model_service::{Document, Service};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Serialize, Deserialize, JsonSchema)]
struct Amount {
    amount: f64,
}

#[derive(Serialize, JsonSchema)]
struct Verdict {
    is_large: bool,
}

#[derive(MLModel)]
#[decorate(prediction_id)]
struct ThresholdModel {
    threshold: f64,
}

impl Infer for ThresholdModel {
    type Input = Amount;
    type Output = Verdict;
    type Error = Infallible;

    fn infer(&self, input: &Amount) -> Result<Verdict, Infallible> {
        Ok(Verdict { is_large: input.amount > self.threshold })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ThresholdSettings {
    threshold: f64,
    #[serde(default)]
    #[expect(dead_code, reason = "it is here to be mistaken")]
    labels: Vec<String>,
}

/// Rejects inputs above its limit.
struct Limit(f64);

#[derive(Deserialize)]
struct LimitSettings {
    limit: f64,
}

impl Decorator<RegisteredModel> for Limit {
    fn call(&self, model: &RegisteredModel, request: Request<Value>) -> Answer<Value> {
        let amount = request.input().and_then(|input| input["amount"].as_f64());
        if amount.is_some_and(|amount| amount > self.0) {
            return Err(PredictionError::rejected(format!("more than {}", self.0)));
        }
        model.call(request)
    }
}

fn service(gate: &Arc<Gate>) -> Service {
    let gate = gate.clone();
    Service::new("Test")
        .model(move || ChargesModel { gate })
        .configurable_model(|settings: ThresholdSettings| ThresholdModel {
            threshold: settings.threshold,
        })
        .decorator("limit", |settings: LimitSettings| {
            if settings.limit > 0.0 {
                Ok(Limit(settings.limit))
            } else {
                Err("`limit` must be more than 0")
            }
        })
        .decorator("closed", || Limit(0.0))
}

fn start(yaml: &str) -> Running {
    let gate = Arc::default();
    let running = Running::serve(service(&gate), yaml, gate);
    running.wait_until("/api/health/ready", 200);
    running
}

fn mistakes(yaml: &str) -> Vec<String> {
    let document = Document::parse("test.yaml", yaml).unwrap();
    let problems = service(&Arc::default()).configured(&document).unwrap_err();
    problems.to_string().lines().map(str::to_owned).collect()
}

#[test]
fn models_and_decorators_take_their_configuration() {
    let service = start(
        "models:
  - class_path: some.module.ThresholdModel
    configuration: {threshold: 10}
    decorators:
      - prediction_id
      - logging: {input_fields: [amount], output_fields: [is_large], level: debug, target: ml_model_service::audit}
      - limit: {limit: 100}
      - metrics
  - qualified_name: charges_model
    decorators: []
",
    );
    let predict = |amount: f64, id: &str| {
        let body = json!({ "amount": amount, "prediction_id": id }).to_string();
        let path = "/api/models/threshold_model/prediction";
        service.post(path, "application/json", body.as_bytes())
    };
    assert_eq!(
        predict(10.5, "threshold-1").json(),
        json!({"is_large": true, "prediction_id": "threshold-1"})
    );
    assert_eq!(predict(9.5, "threshold-2").json()["is_large"], false);
    let rejected = predict(1000.0, "threshold-3");
    assert_eq!(rejected.status, 503);
    assert_eq!(rejected.error().1, ["more than 100"]);

    let [requested, created] = records("threshold-1").try_into().unwrap();
    assert_eq!(requested["name"], "ml_model_service::audit");
    assert_eq!((&requested["pathname"], &requested["lineno"]), (&json!("test.yaml"), &json!(6)));
    assert_eq!((requested["amount"].as_f64(), &created["is_large"]), (Some(10.5), &json!(true)));
    assert_eq!(records("threshold-3")[1]["message"], "Prediction exception.");

    // The other model is bare.
    let answer = service.predict(r#"{"age": 25, "bmi": 20}"#);
    assert_eq!(answer.json(), json!({"charges": 250.0}));
    let loaded: Vec<Value> =
        log().into_iter().filter(|record| record["message"] == "Loaded model.").collect();
    let stack = "PredictionIdDecorator(LoggingDecorator(Limit(MetricsDecorator(ThresholdModel))))";
    assert!(loaded.iter().any(|record| record["decorators"] == stack), "{loaded:?}");
    let names = service.get("/api/models").json();
    assert_eq!(names["models"].as_array().unwrap().len(), 2);
}

#[test]
fn a_sample_keeps_a_share_of_the_predictions_and_all_failures() {
    let service = start(
        "models:
  - qualified_name: threshold_model
    configuration: {threshold: 10}
    decorators: [prediction_id, logging: {sample: 0.1, slow: 1h}, limit: {limit: 100}]
",
    );
    let predict = |amount: f64, id: &str| {
        let body = json!({ "amount": amount, "prediction_id": id }).to_string();
        service.post("/api/models/threshold_model/prediction", "application/json", body.as_bytes())
    };
    // The hash of the first id is below a tenth, those of the others are not.
    assert_eq!(predict(1.0, "order-13").status, 200);
    assert_eq!(predict(1.0, "order-0").status, 200);
    assert_eq!(predict(1000.0, "sampled-3").status, 503);
    let rates = |id: &str| -> Vec<Value> {
        records(id).iter().map(|record| record["sample_rate"].clone()).collect()
    };
    assert_eq!(rates("order-13"), [0.1, 0.1]);
    assert_eq!(rates("order-0"), [] as [Value; 0]);
    assert_eq!(rates("sampled-3").last(), Some(&json!(1.0)));
}

#[test]
fn what_the_users_own_types_do_not_accept_is_reported_at_its_place() {
    assert_eq!(
        mistakes(
            "models:
  - qualified_name: threshold_model
    configuration: {treshold: 10}
  - qualified_name: charges_model
    configuration: {depth: 3}
    decorators:
      - limit: {limit: -1}
      - limit: {limit: secret}
      - closed: {until: Monday}
      - closed
      - limit
      - limitt: {limit: 1}
",
        ),
        [
            "test.yaml:3: models[0].configuration: unknown key `treshold`; did you mean `threshold`?",
            "test.yaml:5: models[1].configuration: this model takes no configuration: remove it",
            "test.yaml:7: models[1].decorators[0].limit: `limit` must be more than 0",
            "test.yaml:8: models[1].decorators[1].limit.limit: expected a number, found text",
            "test.yaml:9: models[1].decorators[2].closed: this decorator takes no configuration: \
             remove it",
            "test.yaml:11: models[1].decorators[4]: needs a configuration with the key `limit`",
            "test.yaml:12: models[1].decorators[5]: unknown decorator `limitt`; did you mean `limit`? \
             Valid are `prediction_id`, `logging`, `metrics`, `limit`, `closed`",
        ]
    );
}

#[test]
fn without_a_configuration_it_must_be_complete_without() {
    assert_eq!(
        mistakes("models: [{qualified_name: threshold_model}]"),
        [
            "test.yaml:1: models[0]: `threshold_model` needs a `configuration:` with the key `threshold`"
        ]
    );
    assert_eq!(
        mistakes(""),
        [
            "`threshold_model` needs a configuration with the key `threshold`: list it under `models:` \
         with a `configuration:`"
        ]
    );
}

#[test]
fn a_program_with_two_models_of_one_name_says_so() {
    let model = || ChargesModel { gate: Arc::default() };
    let document = Document::parse("test.yaml", "").unwrap();
    let problems = Service::new("Twice").model(model).model(model).configured(&document);
    let problems = problems.unwrap_err().to_string();
    assert_eq!(problems, "the program has the model `charges_model` twice: remove one of them");

    #[derive(MLModel)]
    #[ml_model(qualified_name = "charges_model")]
    struct Other;

    impl Infer for Other {
        type Input = f64;
        type Output = f64;
        type Error = Infallible;

        fn infer(&self, input: &f64) -> Result<f64, Infallible> {
            Ok(*input)
        }
    }

    let problems = Service::new("Twice").model(model).model(|| Other).configured(&document);
    assert_eq!(
        problems.unwrap_err().to_string(),
        "the program has two models named `charges_model`: give one of them another `qualified_name`; of a generic \
         model, derive `MLModel` for one struct per instance"
    );
}

#[test]
fn a_program_with_two_decorators_of_one_name_says_so() {
    let limit = |settings: LimitSettings| Ok::<_, Infallible>(Limit(settings.limit));
    let document = Document::parse("test.yaml", "").unwrap();
    let service = Service::new("Twice")
        .decorator("LoggingDecorator", limit)
        .decorator("limit", limit)
        .decorator("my.Limit", limit);
    assert_eq!(
        service.configured(&document).unwrap_err().to_string(),
        "the program registers a decorator `LoggingDecorator`, but `logging` is built in: give it \
         another name\n\
         the program has two decorators named `my.Limit`: give one of them another name"
    );
}
