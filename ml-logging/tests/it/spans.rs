//! The fields of active spans.

use std::thread;

use crate::support::{Memory, builder, logged, only};
use serde_json::json;
use tracing::{field::Empty, info, info_span};
use tracing_subscriber::{layer::SubscriberExt as _, registry::Registry};

#[test]
fn inner_fields_come_first_and_replace_outer_ones() {
    let record = only(logged("%(message)s", || {
        let _outer = info_span!("outer", prediction_id = "outer", user = "u").entered();
        let _middle = info_span!("middle").entered();
        let _inner = info_span!("inner", prediction_id = "inner", step = 2).entered();
        info!(age = 25, "x");
    }));
    assert_eq!(record.keys(), ["message", "age", "prediction_id", "step", "user"]);
    assert_eq!(record["prediction_id"], json!("inner"));
    assert_eq!(record["step"], json!(2));
    assert_eq!(record["user"], json!("u"));
}

#[test]
fn the_field_of_the_event_replaces_the_field_of_the_span() {
    let record = only(logged("%(message)s", || {
        let _span = info_span!("s", id = 1, r#type = 2, other = 3).entered();
        info!(id = None::<u8>, r#type = 5, "x");
    }));
    assert_eq!(record.keys(), ["message", "id", "type", "other"]);
    assert_eq!(record["id"], json!(null));
    assert_eq!(record["type"], json!(5));
}

#[test]
fn only_active_spans_count() {
    let records = logged("%(message)s", || {
        let closed = info_span!("closed", a = 1);
        closed.in_scope(|| info!("in"));
        info!("out");
        let parent = info_span!("parent", b = 2);
        info!(parent: &parent, "child");
        let _entered = parent.enter();
        info!(parent: None, "orphan");
    });
    let keys: Vec<_> = records.iter().map(|record| record.keys()).collect();
    assert_eq!(
        keys,
        [vec!["message", "a"], vec!["message"], vec!["message", "b"], vec!["message"]]
    );
}

#[test]
fn values_recorded_later_keep_their_declared_position() {
    let records = logged("%(message)s", || {
        let span = info_span!("s", a = Empty, b = 1, c = Empty);
        let _entered = span.enter();
        info!("before");
        span.record("c", "long enough to move things");
        span.record("a", 7);
        info!("recorded");
        span.record("a", true);
        span.record("b", "now a text");
        info!("again");
    });
    assert_eq!(records[0].keys(), ["message", "b"]);
    assert_eq!(records[1].keys(), ["message", "a", "b", "c"]);
    assert_eq!((&records[1]["a"], &records[1]["b"]), (&json!(7), &json!(1)));
    assert_eq!(records[2].keys(), ["message", "a", "b", "c"]);
    assert_eq!((&records[2]["a"], &records[2]["b"]), (&json!(true), &json!("now a text")));
    assert_eq!(records[2]["c"], json!("long enough to move things"));
}

#[test]
fn a_span_without_values_may_get_them() {
    let record = only(logged("%(message)s", || {
        let span = info_span!("s", a = Empty, b = Empty);
        span.record("b", 2);
        span.in_scope(|| info!("x"));
    }));
    assert_eq!(record.keys(), ["message", "b"]);
}

#[test]
fn values_recorded_together_in_any_order() {
    let record = only(logged("%(message)s", || {
        let span = info_span!("s", a = Empty, b = Empty);
        let fields = span.metadata().unwrap().fields();
        let (a, b) = (fields.field("a").unwrap(), fields.field("b").unwrap());
        let values = [(&b, Some(&2 as &dyn tracing::Value)), (&a, Some(&1))];
        span.record_all(&fields.value_set(&values));
        span.in_scope(|| info!("x"));
    }));
    assert_eq!(record.keys(), ["message", "a", "b"]);
    assert_eq!((&record["a"], &record["b"]), (&json!(1), &json!(2)));
}

#[test]
fn the_last_value_of_a_name_repeated_in_a_span_counts() {
    let record = only(logged("%(message)s", || {
        let _span = info_span!("s", a = 1, b = 2, a = 3).entered();
        info!("x");
    }));
    assert_eq!(record.keys(), ["message", "b", "a"]);
    assert_eq!(record["a"], json!(3));
}

#[test]
fn a_span_field_named_like_the_context_is_renamed() {
    let record = only(logged("%(name)s %(message)s", || {
        let _outer = info_span!("outer", name = "beaten", fields.name = "f").entered();
        let _inner = info_span!("inner", name = "n", message = "m").entered();
        info!("text");
    }));
    assert_eq!(
        record.keys(),
        ["name", "message", "fields.name", "fields.message", "fields.fields.name"]
    );
    assert_eq!(record["message"], json!("text"));
    assert_eq!(record["fields.name"], json!("n"));
    assert_eq!(record["fields.message"], json!("m"));
    assert_eq!(record["fields.fields.name"], json!("f"));
}

#[test]
fn fields_belong_to_their_span_on_any_thread() {
    const SPANS: usize = 2000;
    let memory = Memory::default();
    let (subscriber, _logging) =
        builder().format("%(message)s").writer(memory.clone()).build().unwrap();
    let dispatch = tracing::Dispatch::new(subscriber);
    let open = || (0..SPANS).map(|number| info_span!("s", number, name = "n".repeat(number % 99)));
    for _ in 0..2 {
        let spans: Vec<_> = tracing::dispatcher::with_default(&dispatch, || open().collect());
        thread::scope(|scope| {
            for part in spans.chunks(SPANS / 4) {
                let dispatch = &dispatch;
                scope.spawn(move || {
                    tracing::dispatcher::with_default(dispatch, || {
                        part.iter().for_each(|span| span.in_scope(|| info!("x")));
                    });
                });
            }
        });
        drop(spans);
        // The registry uses the ids of closed spans again.
        tracing::dispatcher::with_default(&dispatch, || {
            let bare: Vec<_> = (0..SPANS).map(|_| info_span!("bare")).collect();
            bare.iter().for_each(|span| span.in_scope(|| info!("bare")));
        });
    }
    let mut seen = vec![0; SPANS];
    for record in memory.records() {
        let Some(number) = record.get("number") else {
            assert_eq!(record.keys(), ["message"]);
            continue;
        };
        let number = number.as_u64().unwrap() as usize;
        assert_eq!(record["name"], json!("n".repeat(number % 99)));
        seen[number] += 1;
    }
    assert_eq!(seen, [2; SPANS]);
    assert_eq!(memory.records().len(), 4 * SPANS);
}

#[test]
fn two_layers_with_different_formats_share_the_spans() {
    let (first, second) = (Memory::default(), Memory::default());
    let layer = |format: &str, memory: &Memory| builder().format(format).writer(memory.clone());
    let (first_layer, _first) = layer("%(name)s", &first).layer().unwrap();
    let (second_layer, _second) = layer("%(message)s", &second).level("warn").layer().unwrap();
    let subscriber = Registry::default().with(first_layer).with(second_layer);
    tracing::subscriber::with_default(subscriber, || {
        let span = tracing::warn_span!("s", name = "n", later = Empty);
        span.record("later", 1);
        let _entered = span.enter();
        info!("x");
        tracing::warn!("y");
    });
    let keys: Vec<_> = first.records().iter().map(|record| record.keys().join(" ")).collect();
    assert_eq!(keys, ["name message fields.name later"; 2]);
    assert_eq!(only(second.records()).keys(), ["message", "name", "later"]);
}

#[test]
fn instrumented_functions_pass_their_arguments_on() {
    #[tracing::instrument]
    fn work(r#type: u8, text: &str) {
        info!("in");
    }

    let record = only(logged("%(message)s", || work(3, "t")));
    assert_eq!(record.keys(), ["message", "type", "text"]);
    assert_eq!((&record["type"], &record["text"]), (&json!(3), &json!("t")));
}
