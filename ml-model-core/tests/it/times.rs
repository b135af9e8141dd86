//! Tests dates, times and durations as fields, named in attributes and in configurations.

use std::sync::Arc;
use std::time::Duration;

use crate::common::logged;
use ml_model_core::decorators::logging::{FieldKind, LoggedField, LoggingOptions};
use ml_model_core::{
    Infer, JsonModel, LogValue, MLModel, RegisteredModel, Request, Sensitive, Stack,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tracing_subscriber::filter::LevelFilter;

/// Implements `Infer` for two models, one with a `logging` attribute and one without.
macro_rules! models {
    ($compiled:ident $bare:ident: $input:ty, [$($field:literal),*]) => {
        #[derive(MLModel)]
        #[decorate(logging(input_fields = [$($field),*]))]
        struct $compiled;
        #[derive(MLModel)]
        struct $bare;
        models!(@infer $input, $compiled $bare);
    };
    (@infer $input:ty, $($model:ident)*) => {$(
        impl Infer for $model {
            type Input = $input;
            type Output = bool;
            type Error = std::convert::Infallible;

            fn infer(&self, _input: &$input) -> Result<bool, Self::Error> {
                Ok(true)
            }
        }
    )*};
}

/// Returns the values of the input fields in the first record.
fn values(model: &RegisteredModel, body: Value) -> Vec<String> {
    let (_, records) = logged(LevelFilter::INFO, || model.call(Request::new(body)).unwrap());
    let record = records.iter().find(|record| record.message() == "Prediction requested.").unwrap();
    record.fields[4..].iter().map(|(_, value)| value.clone()).collect()
}

fn options(fields: &[&str]) -> LoggingOptions {
    LoggingOptions {
        input_fields: fields.iter().map(|field| field.parse().unwrap()).collect(),
        ..LoggingOptions::new("model")
    }
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Wait {
    max_wait: Duration,
    none: Option<Duration>,
    private: Sensitive<Duration>,
}

models!(WaitModel BareWaitModel: Wait, ["max_wait", "none", "redacted(private)", "hashed(max_wait) as hash"]);

#[test]
fn durations_are_iso_8601() {
    for (duration, text) in [
        (Duration::ZERO, "PT0S"),
        (Duration::from_millis(1500), "PT1.5S"),
        (Duration::from_nanos(1), "PT0.000000001S"),
        (Duration::from_secs(86_400), "PT86400S"),
    ] {
        assert_eq!(format!("{:?}", duration.log_value()), text);
    }
    let body = json!({
        "maxWait": {"secs": 61, "nanos": 500_000_000}, "none": null, "private": {"secs": 7, "nanos": 0},
    });
    // A name may be written as in Rust or as in JSON.
    let fields = ["max_wait", "none", "redacted(private)", "hashed(maxWait) as hash"];
    let models: [RegisteredModel; 2] = [
        Arc::new(JsonModel::new(WaitModel)),
        Stack::around(BareWaitModel).logging(options(&fields)).into_model(),
    ];
    for model in models {
        let values = values(&model, body.clone());
        assert_eq!(values[..2], ["PT61.5S", "[REDACTED]"]);
        assert_eq!(values.len(), 3, "`none` is null");
        let schema = model.input_schema();
        let field: LoggedField = "max_wait".parse().unwrap();
        assert_eq!(field.kind(&schema), Ok(FieldKind::Text));
        assert_eq!(field.check(&[], &schema), Ok(()));
    }
}

#[cfg(feature = "jiff")]
#[test]
fn times_of_jiff_are_logged_as_serde_writes_them() {
    use jiff::{SignedDuration, Span, Timestamp, Zoned, civil};

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Times {
        date: civil::Date,
        time: civil::Time,
        civil: civil::DateTime,
        timestamp: Timestamp,
        zoned: Zoned,
        duration: SignedDuration,
        span: Option<Span>,
    }
    models!(TimesModel BareTimesModel: Times,
            ["date", "time", "civil", "timestamp", "zoned", "duration", "span"]);
    let body = json!({
        "date": "2026-11-24", "time": "18:39:40", "civil": "2026-11-24T18:39:40",
        "timestamp": "2026-11-24T18:39:40.5Z", "zoned": "2026-11-24T18:39:40+00:00[UTC]",
        "duration": "PT1H30S", "span": "P2DT3H",
    });
    check(Arc::new(JsonModel::new(TimesModel)), BareTimesModel, &body);
}

#[cfg(feature = "chrono")]
#[test]
fn times_of_chrono_are_logged_as_serde_writes_them() {
    use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Times {
        date: NaiveDate,
        time: NaiveTime,
        naive: NaiveDateTime,
        utc: DateTime<Utc>,
        fixed: Option<DateTime<FixedOffset>>,
    }
    models!(TimesModel BareTimesModel: Times, ["date", "time", "naive", "utc", "fixed"]);
    let body = json!({
        "date": "2026-11-24", "time": "18:39:40.500", "naive": "2026-11-24T18:39:40",
        "utc": "2026-11-24T18:39:40.500Z", "fixed": "2026-11-24T18:39:40+01:00",
    });
    check(Arc::new(JsonModel::new(TimesModel)), BareTimesModel, &body);
    assert_eq!(format!("{:?}", TimeDelta::milliseconds(1500).log_value()), "PT1.5S");
}

/// Checks that the fields have the text of the body, in attributes and in configurations.
#[cfg(any(feature = "chrono", feature = "jiff"))]
fn check<M>(compiled: RegisteredModel, bare: M, body: &Value)
where
    M: Infer<Input: Serialize + serde::de::DeserializeOwned + 'static, Output: Serialize + 'static>
        + ml_model_core::Described
        + Send
        + Sync
        + 'static,
{
    let members = body.as_object().unwrap();
    let expected: Vec<_> = members.values().map(|text| text.as_str().unwrap()).collect();
    let fields: Vec<_> = members.keys().map(String::as_str).collect();
    let configured = Stack::around(bare).logging(options(&fields)).into_model();
    assert_eq!(values(&compiled, body.clone()), expected);
    assert_eq!(values(&configured, body.clone()), expected);
}
