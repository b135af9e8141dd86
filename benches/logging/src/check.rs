//! Checks that a line contains the whole record, so that no library is faster by leaving something out.

use serde_json::Value;

use crate::Result;
use logging_cost::{Event, HOST, MESSAGE, POD};

/// Checks the line of one record of the process `id`.
pub(crate) fn check(line: &str, id: u32) -> Result<()> {
    let json: Value = serde_json::from_str(line).map_err(|error| format!("{error}: {line}"))?;
    let mut values = Vec::new();
    collect(&json, &mut values);
    let Event {
        action,
        model_qualified_name,
        model_version,
        prediction_id,
        status,
        duration_ms,
        age,
        charges,
    } = Event::EXAMPLE;
    let wanted = [
        action.to_owned(),
        model_qualified_name.to_owned(),
        model_version.to_owned(),
        prediction_id.to_owned(),
        status.to_owned(),
        duration_ms.to_string(),
        age.to_string(),
        charges.to_string(),
        HOST.to_owned(),
        POD.to_owned(),
        id.to_string(),
        MESSAGE.to_owned(),
    ];
    if let Some(missing) = wanted.iter().find(|wanted| !values.contains(wanted)) {
        return Err(format!("{missing} is missing in {line}").into());
    }
    if !values.iter().any(|value| value.ends_with(".rs")) {
        return Err(format!("the source file is missing in {line}").into());
    }
    // Names and formats of time, thread, line and level differ between libraries.
    if values.len() < wanted.len() + 1 + 4 {
        return Err(format!("time, thread, line or level is missing in {line}").into());
    }
    Ok(())
}

fn collect(json: &Value, values: &mut Vec<String>) {
    match json {
        Value::Object(members) => members.values().for_each(|value| collect(value, values)),
        Value::Array(elements) => elements.iter().for_each(|value| collect(value, values)),
        Value::String(text) => values.push(text.clone()),
        other => values.push(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    const LINE: &str = r#"{"t":1,"level":"INFO","thread":1,"file":"a.rs","line":5,"pid":7,
        "host":"pricing-7d9c6f","pod":"insurance-charges-6c9f7b5d-x2x4k","msg":"Prediction created.",
        "kv":{"action":"predict","model_qualified_name":"insurance_charges_model",
        "model_version":"0.1.0","prediction_id":"05351f67-d5bd-4302-b762-1d9dfe251f99",
        "status":"success","duration_ms":0.042,"age":42,"charges":2696.69}}"#;

    #[test]
    fn every_part_of_a_line_is_required() {
        assert!(check(LINE, 7).is_ok());
        assert!(check(LINE, 8).is_err());
        let members = LINE.split(',').map(str::trim).filter(|member| !member.contains(['{', '}']));
        for member in members {
            let shorter = LINE.replacen(&format!("{member},"), "", 1);
            assert_ne!(shorter, LINE);
            assert!(check(&shorter, 7).is_err(), "{member}");
        }
    }
}
