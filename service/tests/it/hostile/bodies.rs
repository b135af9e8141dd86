//! Invalid JSON, and unusual valid JSON.

use super::{GOOD, exchange, is_alive, post_body};
use crate::common::{Running, records};

/// Asserts that a prediction is refused for one reason and recorded under the id of the answer.
fn is_refused(service: &Running, name: &str, body: &[u8], reason: &str) {
    let response = exchange(service, post_body(body));
    assert_eq!(response.status, 400, "{name}: {response:?}");
    let (kind, messages) = response.error();
    assert_eq!(kind, "ValidationError", "{name}");
    let [message] = messages.as_slice() else { panic!("{name}: {messages:?}") };
    assert!(message.contains(reason), "{name}: {message}");
    let id = response.json()["prediction_id"].as_str().unwrap().to_owned();
    let [requested, exception] = records(&id).try_into().unwrap();
    assert_eq!(requested["message"], "Prediction requested.", "{name}");
    assert_eq!(exception["message"], "Prediction exception.", "{name}");
    let error_info = exception["error_info"].as_str().unwrap();
    assert!(error_info.contains(message.as_str()), "{name}: {error_info}");
    is_alive(service);
}

#[test]
fn invalid_json_is_refused_and_recorded() {
    let service = Running::start();
    let arrays = "[".repeat(100_000);
    let objects = r#"{"a":"#.repeat(100_000);
    let closed = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let two = format!("{GOOD}{GOOD}");
    let utf_16: Vec<u8> = GOOD.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (name, body, reason) in [
        ("empty", b"".as_slice(), "the body is empty"),
        ("blank", b" \r\n\t", "the body is empty"),
        ("deep arrays", arrays.as_bytes(), "recursion limit"),
        ("deep objects", objects.as_bytes(), "recursion limit"),
        ("deep, but closed", closed.as_bytes(), "recursion limit"),
        ("byte order mark", b"\xef\xbb\xbf{}", "not JSON"),
        ("UTF-16", &utf_16, "not JSON"),
        ("only NULs", &[0; 64], "not JSON"),
        ("NUL in a string", b"{\"sex\": \"ma\0le\"}", "control character"),
        ("NUL in a name", b"{\"a\0ge\": 25}", "control character"),
        ("NUL at the end", b"{}\0", "trailing characters"),
        ("line feed in a string", b"{\"sex\": \"ma\nle\"}", "control character"),
        ("stray byte in a string", b"{\"sex\": \"\xff\"}", "invalid unicode"),
        ("stray byte in a name", b"{\"\xff\": 1}", "invalid unicode"),
        ("overlong NUL", b"{\"sex\": \"\xc0\x80\"}", "invalid unicode"),
        ("surrogate as UTF-8", b"{\"sex\": \"\xed\xa0\x80\"}", "invalid unicode"),
        ("cut-off character", b"{\"sex\": \"\xe2\x82\"}", "invalid unicode"),
        ("lone high surrogate", br#"{"sex": "\ud800"}"#, "hex escape"),
        ("lone low surrogate", br#"{"sex": "\udc00"}"#, "surrogate"),
        ("swapped surrogates", br#"{"sex": "\udc00\ud800"}"#, "surrogate"),
        ("unknown escape", br#"{"sex": "\x41"}"#, "invalid escape"),
        ("two documents", two.as_bytes(), "trailing characters"),
        ("trailing comma", br#"{"age": 25,}"#, "trailing comma"),
        ("comment", br#"{"age": 25 /* years */}"#, "not JSON"),
        ("single quotes", b"{'age': 25}", "not JSON"),
        ("NaN", br#"{"age": NaN}"#, "not JSON"),
        ("Infinity", br#"{"age": -Infinity}"#, "not JSON"),
        ("hexadecimal", br#"{"age": 0x19}"#, "not JSON"),
        ("leading zero", br#"{"age": 025}"#, "invalid number"),
        ("a form", b"age=25&bmi=21.5", "not JSON"),
        ("gzip", b"\x1f\x8b\x08\0\0\0\0\0\0\x03", "not JSON"),
    ] {
        is_refused(&service, name, body, reason);
    }
}

#[test]
fn numbers_of_any_size_are_answered() {
    let service = Running::start();
    let digits = |count| format!(r#"{{"age": 25, "bmi": {}}}"#, "9".repeat(count));
    let fraction = format!(r#"{{"age": 25, "bmi": 0.{}1}}"#, "0".repeat(400));
    for (name, body, reason) in [
        ("too large for a float", r#"{"age": 25, "bmi": 1e999}"#, "number out of range"),
        ("the same below zero", r#"{"age": 25, "bmi": -1e999}"#, "number out of range"),
        ("endless exponent", r#"{"age": 25, "bmi": 1e99999999999999999999}"#, "out of range"),
        ("400 digits", &digits(400), "number out of range"),
        ("300 digits", &digits(300), "bmi: 1e+300 is greater than the maximum"),
        ("too small for a float", r#"{"age": 25, "bmi": 1e-999}"#, "bmi: 0.0 is less than"),
        ("400 zeros first", &fraction, "bmi: 0.0 is less than the minimum"),
        ("nothing at any scale", r#"{"age": 25, "bmi": 0e99999999999}"#, "bmi: 0.0 is less than"),
        ("minus nothing", r#"{"age": -0, "bmi": 20}"#, "is less than the minimum of 18"),
        ("u64 and one", r#"{"age": 18446744073709551616, "bmi": 20}"#, "greater than the maximum"),
        ("i64 less one", r#"{"age": -9223372036854775809, "bmi": 20}"#, "less than the minimum"),
        ("u8 and one turn", r#"{"age": 281, "bmi": 20}"#, "281 is greater than the maximum of 65"),
        ("almost an integer", r#"{"age": 25.000000000000004, "bmi": 20}"#, "not of type integer"),
    ] {
        is_refused(&service, name, body.as_bytes(), reason);
    }
}

#[test]
fn odd_strings_are_data() {
    let service = Running::start();
    let zip = |zip: &str| format!(r#"{{"age": 25, "bmi": 20, "address": {{"zip": "{zip}"}}}}"#);
    let long = "x".repeat(900_000);
    for (name, text) in [
        ("escaped NULs", r"\u0000\u0000\u0000\u0000"),
        ("a surrogate pair", r"\ud83d\ude00 and 😀"),
        ("noncharacters", "\u{ffff}\u{fffe}\u{10ffff}\u{fdd0}"),
        ("right to left", "\u{202e}1234"),
        ("of almost a mebibyte", long.as_str()),
    ] {
        let response = exchange(&service, post_body(zip(text)));
        assert_eq!(response.status, 200, "{name}: {response:?}");
    }
    for id in [r"\u0000", r"a\nb", "ä", "a b", "", &"x".repeat(129)] {
        let body = format!(r#"{{"prediction_id": "{id}", "age": 25, "bmi": 20}}"#);
        is_refused(&service, id, body.as_bytes(), "prediction_id: ");
    }
}

#[test]
fn long_values_make_short_messages() {
    let service = Running::start();
    let long = "x".repeat(900_000);
    let many = format!("[{}1]", "1,".repeat(400_000));
    for value in [&format!("\"{long}\""), &many] {
        let body = format!(r#"{{"age": {value}, "bmi": 20}}"#);
        let response = exchange(&service, post_body(body));
        assert_eq!(response.status, 400);
        assert!(response.body.len() < 1000, "{} bytes", response.body.len());
        is_alive(&service);
    }
}

#[test]
fn long_and_many_names_make_short_answers_and_records() {
    let service = Running::start();
    let long = "n".repeat(500_000);
    let nested = r#"{"n":"#.repeat(120);
    let many: Vec<_> = (0..50_000).map(|number| format!(r#""name{number}": 1"#)).collect();
    for (name, id, body, messages) in [
        ("a long name", "long-1", format!(r#""age": 25, "bmi": 20, "{long}": 1"#), 1),
        (
            "a long deep value",
            "long-2",
            format!(r#""age": 25, "bmi": {nested}1{}"#, "}".repeat(120)),
            1,
        ),
        ("many names", "long-3", many.join(","), 101),
    ] {
        let response =
            exchange(&service, post_body(format!(r#"{{"prediction_id": "{id}", {body}}}"#)));
        assert_eq!(response.status, 400, "{name}");
        assert_eq!(response.error().1.len(), messages, "{name}");
        assert!(response.body.len() < 10_000, "{name}: {} bytes", response.body.len());
        let records = records(id);
        assert_eq!(records.len(), 2, "{name}");
        for record in records {
            assert!(record.to_string().len() < 10_000, "{name}: {record}");
        }
        // 50,000 unknown and two missing names, of which 100 are reported.
        if messages > 1 {
            assert_eq!(response.error().1.last().unwrap(), "and 49902 more");
        }
    }
    is_alive(&service);
}

#[test]
fn of_duplicate_names_the_last_one_counts() {
    let service = Running::start();
    let body = r#"{"prediction_id": "twin-1", "age": 25, "bmi": 20, "age": 30}"#;
    let response = exchange(&service, post_body(body));
    assert_eq!(response.json()["charges"], 300.0);
    let [requested, created] = records("twin-1").try_into().unwrap();
    assert_eq!((&requested["age"], &created["charges"]), (&30.into(), &300.0.into()));
}

#[test]
fn whichever_byte_is_damaged_there_is_an_answer_and_a_record() {
    let service = Running::start();
    let good = r#"{"age": 25, "bmi": 2.5e1, "sex": "male"}"#;
    for position in 0..good.len() {
        for damage in [b'"', b'{', b'9', b'\xff'] {
            let mut body = good.as_bytes().to_vec();
            body[position] = damage;
            let response = exchange(&service, post_body(&body));
            let shown = body.escape_ascii();
            assert!(matches!(response.status, 200 | 400), "{shown}: {response:?}");
            let id = response.json()["prediction_id"].as_str().unwrap().to_owned();
            let messages: Vec<_> =
                records(&id).iter().map(|record| record["message"].clone()).collect();
            let last = if response.status == 200 { "created" } else { "exception" };
            assert_eq!(
                messages,
                ["Prediction requested.", &format!("Prediction {last}.")],
                "{shown}"
            );
        }
    }
}
