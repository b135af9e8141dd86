//! Tests the options `sample` and `slow` of `logging`.

use std::collections::HashMap;
use std::slice::from_ref;
use std::sync::LazyLock;

use crate::common::{Logged, logged};
use ml_model_core::decorators::logging::{LoggingOptions, Sampling};
use ml_model_core::{Infer, MLModel, RegisteredModel, Request, Stack};
use proptest::prelude::*;
use serde_json::json;
use tracing::Level;
use tracing_subscriber::filter::LevelFilter;
use uuid::Uuid;

/// Fails for negative numbers and panics at 666.
fn infer(input: &i64) -> Result<i64, std::io::Error> {
    match *input {
        ..0 => Err(std::io::Error::other("negative")),
        666 => panic!("six six six"),
        input => Ok(input),
    }
}

macro_rules! model {
    ($name:ident, $($decorators:tt)*) => {
        #[derive(MLModel)]
        $($decorators)*
        struct $name;

        impl Infer for $name {
            type Input = i64;
            type Output = i64;
            type Error = std::io::Error;

            fn infer(&self, input: &i64) -> Result<i64, Self::Error> {
                infer(input)
            }
        }
    };
}

// Every prediction takes longer than a nanosecond, and none takes an hour.
model!(
    SampledModel,
    #[decorate(prediction_id)]
    #[decorate(logging(sample = 0.1, slow = "1h"))]
);
model!(
    SampledSlowModel,
    #[decorate(prediction_id)]
    #[decorate(logging(sample = 0.1, slow = "1ns"))]
);
model!(
    FastModel,
    #[decorate(prediction_id)]
    #[decorate(logging(slow = "1h", level = debug))]
);
model!(
    SlowModel,
    #[decorate(prediction_id)]
    #[decorate(logging(slow = "1ns", level = debug))]
);
model!(BareModel,);

fn call<M: MLModel<Input = i64, Output = i64>>(model: &M, id: &str, input: i64) -> Vec<Logged> {
    let request = Request::new(input).with_prediction_id(id);
    let (_, records) = logged(LevelFilter::DEBUG, || {
        let call = || model.predict(request).map(|prediction| *prediction);
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).ok()
    });
    records
}

/// Returns a model that records a share of its predictions to `target`.
fn configured(target: &str, rate: f64) -> RegisteredModel {
    let options = LoggingOptions {
        target: target.to_owned(),
        sampling: Sampling::new().sample(rate),
        ..LoggingOptions::new("bare_model")
    };
    Stack::around(BareModel).logging(options).prediction_id().into_model()
}

/// Returns by how many of the models a prediction with each id is recorded. They record both records or
/// none.
fn times_kept(models: &[RegisteredModel], ids: &[String]) -> Vec<usize> {
    let (_, records) = logged(LevelFilter::INFO, || {
        for id in ids {
            for model in models {
                model.predict(Request::new(json!(0)).with_prediction_id(id)).unwrap();
            }
        }
    });
    let mut messages = HashMap::<_, [usize; 2]>::new();
    for record in &records {
        let [requested, created] =
            messages.entry(record.get("prediction_id").unwrap()).or_default();
        match record.message() {
            "Prediction requested." => *requested += 1,
            _ => *created += 1,
        }
    }
    ids.iter()
        .map(|id| {
            let [requested, created] = messages.get(id.as_str()).copied().unwrap_or_default();
            assert_eq!(requested, created);
            requested
        })
        .collect()
}

/// Ids that a sample of a tenth keeps and drops.
const KEPT: &str = "order-13";
const DROPPED: &str = "order-0";

#[test]
fn records_of_a_prediction_are_kept_or_dropped_together() {
    let kept = call(&SampledModel, KEPT, 0);
    assert_eq!(
        kept.iter().map(Logged::message).collect::<Vec<_>>(),
        ["Prediction requested.", "Prediction created."]
    );
    for record in &kept {
        assert_eq!(record.get("sample_rate"), Some("0.1"));
        assert_eq!(record.level, Level::INFO);
    }
    assert_eq!(
        kept[1].names(),
        [
            "message",
            "action",
            "model_qualified_name",
            "model_version",
            "prediction_id",
            "sample_rate",
            "status",
            "duration_ms"
        ]
    );
    assert!(call(&SampledModel, DROPPED, 0).is_empty());
}

#[test]
fn failures_are_always_kept() {
    for (input, error_info) in [(-1, "negative"), (666, "panic: six six six")] {
        let records = call(&SampledModel, DROPPED, input);
        let [record] = &records[..] else { panic!("{records:?}") };
        assert_eq!(record.message(), "Prediction exception.");
        assert!(record.get("error_info").unwrap().ends_with(error_info));
        // Each failure stands for itself, so that weighted counts are right.
        assert_eq!(record.get("sample_rate"), Some("1.0"));
        assert!(record.get("duration_ms").unwrap().parse::<f64>().is_ok());

        let records = call(&SampledModel, KEPT, input);
        let rates: Vec<_> = records.iter().map(|record| record.get("sample_rate")).collect();
        assert_eq!(rates, [Some("0.1"), Some("1.0")]);
    }
}

#[test]
fn slow_predictions_are_kept_at_warn() {
    let records = call(&SampledSlowModel, DROPPED, 0);
    let [record] = &records[..] else { panic!("{records:?}") };
    assert_eq!(record.message(), "Prediction created.");
    assert_eq!((record.level, record.get("sample_rate")), (Level::WARN, Some("1.0")));
    assert_eq!(record.target, "sampled_slow_model_logger");
    assert!(record.file.ends_with("sampling.rs"));

    let levels = |records: &[Logged]| records.iter().map(|record| record.level).collect::<Vec<_>>();
    let records = call(&SlowModel, DROPPED, 0);
    assert_eq!(levels(&records), [Level::DEBUG, Level::WARN]);
    assert_eq!(records[1].get("sample_rate"), None, "the logger is not sampled");
    assert_eq!(levels(&call(&FastModel, DROPPED, 0)), [Level::DEBUG, Level::DEBUG]);
}

#[test]
fn slow_predictions_are_recorded_when_only_warnings_are_enabled() {
    let request = || Request::new(0).with_prediction_id(DROPPED);
    let (_, slow) = logged(LevelFilter::WARN, || SlowModel.predict(request()).unwrap());
    assert_eq!(slow.len(), 1);
    let (_, fast) = logged(LevelFilter::WARN, || FastModel.predict(request()).unwrap());
    assert_eq!(fast.len(), 0);
}

#[test]
fn rows_of_a_batch_are_sampled_one_by_one() {
    let rows = [KEPT, DROPPED].map(|id| {
        let mut request = Request::new(0).with_prediction_id(id);
        request.context_mut().set_batch_row(ml_model_core::BatchRow {
            batch_id: "batch".try_into().unwrap(),
            row: 3,
        });
        request
    });
    let (_, records) = logged(LevelFilter::INFO, || SampledModel.call_batch(rows.into()));
    assert_eq!(records.len(), 2, "{records:?}");
    for record in &records {
        assert_eq!(record.get("prediction_id"), Some(KEPT));
        let names = record.names();
        assert_eq!(names[4..8], ["prediction_id", "batch_id", "row", "sample_rate"]);
    }
}

#[test]
fn without_an_id_every_prediction_is_recorded() {
    let options = LoggingOptions {
        sampling: Sampling::new().sample(0.001),
        ..LoggingOptions::new("bare_model")
    };
    let model = Stack::around(BareModel).logging(options).into_model();
    let (_, records) = logged(LevelFilter::INFO, || model.predict(json!(0)).unwrap());
    let rates: Vec<_> = records.iter().map(|record| record.get("sample_rate")).collect();
    assert_eq!(rates, [Some("1.0"), Some("1.0")]);
}

/// Two replicas with a model for each rate, and the same rate in an attribute.
static REPLICAS: LazyLock<[Vec<RegisteredModel>; 2]> = LazyLock::new(|| {
    ["one", "two"].map(|replica| RATES.map(|rate| configured(replica, rate)).into())
});
const RATES: [f64; 6] = [0.01, 0.1, 0.25, 0.5, 0.9, 1.0];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn replicas_and_decorators_agree(id in "[A-Za-z0-9._:-]{1,128}") {
        let ids = [id];
        let [one, two] = &*REPLICAS;
        let kept: Vec<_> = one.iter().map(|model| times_kept(from_ref(model), &ids)[0]).collect();
        let same: Vec<_> = two.iter().map(|model| times_kept(from_ref(model), &ids)[0]).collect();
        prop_assert_eq!(&kept, &same);
        // A larger sample keeps all that a smaller one keeps.
        prop_assert!(kept.is_sorted(), "{:?}", kept);
        prop_assert_eq!(kept[RATES.len() - 1], 1);
        let of_attribute = call(&SampledModel, &ids[0], 0);
        prop_assert_eq!(of_attribute.len(), 2 * kept[1]);
    }
}

/// Tests with chi-square that the number of kept predictions fits the rates.
#[test]
fn the_kept_share_is_the_rate() {
    const TENTHS: usize = 10;
    const IDS: u32 = 2_000;
    // A correct implementation exceeds this value once in 10,000 times, at 9 degrees of freedom. The ids
    // are fixed, so that the result is, too.
    const LIMIT: f64 = 33.72;
    let models = (1..TENTHS).map(|tenth| configured("tenths", tenth as f64 / 10.0));
    let models: Vec<_> = models.collect();
    let kinds_of_ids: [fn(u32) -> String; 3] = [
        |number| format!("order-{number}"),
        |number| Uuid::from_u128(u128::from(number) << 64).to_string(),
        |number| Uuid::from_u128(u128::from(number).wrapping_mul(u128::MAX / 7)).to_string(),
    ];
    for make in kinds_of_ids {
        let ids: Vec<_> = (0..IDS).map(make).collect();
        let mut counts = [0_u32; TENTHS];
        for times in times_kept(&models, &ids) {
            counts[times] += 1;
        }
        let expected = f64::from(IDS) / TENTHS as f64;
        let deviation = |count: &u32| (f64::from(*count) - expected).powi(2) / expected;
        let chi_square: f64 = counts.iter().map(deviation).sum();
        assert!(chi_square < LIMIT, "{chi_square}: {counts:?}, for ids such as {}", ids[1]);
    }
}

/// The hash is part of the interface: other programs may sample alike.
#[test]
fn the_decision_is_that_of_xxh64() {
    for (id, share) in [
        ("order-7", 0.742494512962),
        ("a", 0.821514424324),
        ("67e55044-10b1-426f-9247-bb680e5fe0c8", 0.600564984663),
        (
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            0.518515455764,
        ),
    ] {
        let ids = [id.to_owned()];
        let kept_by = |rate: f64| times_kept(&[configured("exact", rate)], &ids) == [1];
        assert!(kept_by(share + 1e-9) && !kept_by(share - 1e-9), "{id}");
    }
}
