//! The lower bound: hand-written code that produces the bytes of ml-logging's record. It does not escape
//! texts, and within a second it formats only the milliseconds of the time.

use std::cell::RefCell;
use std::io::Write as _;
use std::sync::LazyLock;
use std::time::SystemTime;

use super::{HOST, POD};
use crate::sink::Sink;
use crate::{Event, Log};

struct Buffers {
    line: Vec<u8>,
    second: u64,
    /// Beginning of the line, from `{"asctime":"2022-06-12 18:09:45,971"` to the thread.
    head: Vec<u8>,
    thread: u64,
}

const TIME: usize = r#"{"asctime":""#.len();
const MILLIS: usize = TIME + "2022-06-12 18:09:45,".len();

static PROCESS: LazyLock<u32> = LazyLock::new(std::process::id);

thread_local! {
    static BUFFERS: RefCell<Buffers> = RefCell::new(Buffers {
        line: Vec::with_capacity(1024),
        second: 0,
        head: format!(
            r#"{{"asctime":"0000-00-00 00:00:00,000","hostname":"{HOST}","pod_name":"{POD}","process":{},"thread":"#,
            *PROCESS
        )
        .into_bytes(),
        thread: 1,
    });
}

pub(super) fn set_up() -> Log {
    |event: &Event| BUFFERS.with_borrow_mut(|buffers| write(buffers, event))
}

fn write(buffers: &mut Buffers, event: &Event) {
    let Buffers { line, second, head, thread } = buffers;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    if now.as_secs() != *second {
        *second = now.as_secs();
        head[TIME..MILLIS].copy_from_slice(&date_and_time(*second));
    }
    let millis = now.subsec_millis();
    for (digit, divisor) in head[MILLIS..].iter_mut().zip([100, 10, 1]) {
        *digit = b'0' + (millis / divisor % 10) as u8;
    }
    line.clear();
    line.extend_from_slice(head);
    let mut integer = itoa::Buffer::new();
    let mut float = zmij::Buffer::new();
    line.extend_from_slice(integer.format(*thread).as_bytes());
    line.extend_from_slice(
        concat!(
            r#","pathname":""#,
            file!(),
            r#"","lineno":60,"levelname":"INFO","message":"Prediction created.","action":""#
        )
        .as_bytes(),
    );
    line.extend_from_slice(event.action.as_bytes());
    line.extend_from_slice(br#"","model_qualified_name":""#);
    line.extend_from_slice(event.model_qualified_name.as_bytes());
    line.extend_from_slice(br#"","model_version":""#);
    line.extend_from_slice(event.model_version.as_bytes());
    line.extend_from_slice(br#"","prediction_id":""#);
    line.extend_from_slice(event.prediction_id.as_bytes());
    line.extend_from_slice(br#"","status":""#);
    line.extend_from_slice(event.status.as_bytes());
    line.extend_from_slice(br#"","duration_ms":"#);
    line.extend_from_slice(float.format_finite(event.duration_ms).as_bytes());
    line.extend_from_slice(br#","age":"#);
    line.extend_from_slice(integer.format(event.age).as_bytes());
    line.extend_from_slice(br#","charges":"#);
    line.extend_from_slice(float.format_finite(event.charges).as_bytes());
    line.extend_from_slice(b"}\n");
    let _ = Sink.write_all(line);
}

/// Formats date and time as `2022-06-12 18:09:45,`; called once per second.
fn date_and_time(second: u64) -> [u8; MILLIS - TIME] {
    let days = second / 86_400 + 719_468;
    let (cycle, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 {
        (400 * cycle + year, month + 3)
    } else {
        (400 * cycle + year + 1, month - 9)
    };
    let (hour, minute) = (second / 3600 % 24, second / 60 % 60);
    let mut text = [0; MILLIS - TIME];
    let second = second % 60;
    write!(&mut text[..], "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02},")
        .expect("the text has the length of a date and a time");
    text
}
