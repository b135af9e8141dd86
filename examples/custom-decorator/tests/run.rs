//! The example as a running program.

use std::process::Command;

use serde_json::Value;

#[test]
fn user_defined_decorators_work_inside_and_outside_the_built_in_ones() {
    let output = Command::new(env!("CARGO_BIN_EXE_custom-decorator"))
        .env_remove("RUST_LOG")
        .output()
        .expect("the example starts");
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).expect("the log is UTF-8");
    let records: Vec<Value> = text.lines().map(|line| line.parse().expect("JSON")).collect();
    let messages: Vec<_> = records.iter().filter_map(|record| record["message"].as_str()).collect();
    let prediction = ["Prediction requested.", "Prediction created.", "Timed."];
    assert_eq!(messages, [&["Composed."], &prediction[..], &prediction[..]].concat());
    assert_eq!(
        records[0]["decorators"],
        "Timing(PredictionIdDecorator(LoggingDecorator(Clamp(TemperatureModel))))"
    );
    assert_eq!(records[2]["fahrenheit"], 70.7);
    assert_eq!(records[5]["fahrenheit"], 122.0, "the log is outside of the clamp");
    assert_eq!(records[5]["model_version"], concat!(env!("CARGO_PKG_VERSION"), "+clamped"));
    assert_eq!(records[4]["prediction_id"], records[5]["prediction_id"]);
    assert_ne!(records[2]["prediction_id"], records[5]["prediction_id"]);
    assert!(records[6].get("prediction_id").is_none(), "Timing is outside of the prediction id");
}
