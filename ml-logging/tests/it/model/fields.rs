//! Content of a record independent of its form: context values, and the fields of the event and its spans that
//! count.

use super::{Case, Fields, callsites, held::Held, times::Times};

/// Expected value in a record.
#[derive(Debug, Clone)]
pub enum Expected {
    /// Exactly this.
    Raw(String),
    Text(String),
    Float(f64),
    /// The number as text.
    FloatText(f64),
    /// So many milliseconds as whole nanoseconds.
    Nanoseconds(f64),
    Time(Times),
    /// The time in seconds since 1970.
    Created,
    /// The milliseconds of the time.
    Msecs,
    /// The number of a thread.
    Thread,
    /// Not known.
    Anything,
}

impl Expected {
    pub fn null() -> Self {
        Self::Raw("null".to_owned())
    }

    /// `None` if there is no value.
    pub fn of(held: &Held) -> Option<Self> {
        let text = |pieces: &[String]| Self::Text(pieces.concat());
        Some(match held {
            Held::I64(value) => Self::Raw(value.to_string()),
            Held::U64(value) => Self::Raw(value.to_string()),
            Held::I128(value) => Self::Raw(value.to_string()),
            Held::U128(value) => Self::Raw(value.to_string()),
            Held::F64(value) if value.is_nan() => Self::Text("NaN".to_owned()),
            Held::F64(f64::INFINITY) => Self::Text("Infinity".to_owned()),
            Held::F64(f64::NEG_INFINITY) => Self::Text("-Infinity".to_owned()),
            Held::F64(value) => Self::Float(*value),
            Held::Bool(value) => Self::Raw(value.to_string()),
            Held::Str(value) => Self::Text(value.clone()),
            Held::Debug(pieces) | Held::Display(pieces, _) => text(pieces),
            Held::Error(texts) => {
                let mut texts = texts.clone();
                texts.dedup();
                Self::Text(texts.join(": "))
            }
            Held::Bytes(bytes) => {
                Self::Text(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
            }
            Held::Nothing => return None,
        })
    }

    /// The value of a message, which is always text.
    pub fn of_message(held: &Held) -> Self {
        match Self::of(held) {
            None => Self::null(),
            Some(Self::Raw(text)) => Self::Text(text),
            Some(Self::Float(value)) => Self::FloatText(value),
            Some(other) => other,
        }
    }

    pub fn or_null(held: &Held) -> Self {
        Self::of(held).unwrap_or_else(Self::null)
    }
}

/// A field of the context, but for the message; `None` if nothing provides it.
pub fn context(case: &Case, name: &str, times: Option<Times>) -> Option<Expected> {
    let (level, number) = level(case);
    let text = |text: &str| Expected::Text(text.to_owned());
    Some(match name {
        "asctime" => times.map_or(Expected::Anything, Expected::Time),
        "created" => Expected::Created,
        "msecs" => Expected::Msecs,
        "name" => text(&case.target),
        "levelname" => text(level),
        "levelno" => Expected::Raw(format!("{number}")),
        "pathname" => text(callsites::FILE),
        "filename" => text("where.rs"),
        "lineno" => Expected::Raw(callsites::LINE.to_string()),
        "module" => text(callsites::MODULE),
        "process" => Expected::Raw(std::process::id().to_string()),
        "thread" => Expected::Thread,
        "threadName" => std::thread::current().name().map_or_else(Expected::null, text),
        provided => text(&case.provided.iter().find(|(name, _)| name == provided)?.1),
    })
}

/// The level's name and number.
pub fn level(case: &Case) -> (&'static str, u8) {
    match case.level {
        tracing::Level::TRACE => ("TRACE", 5),
        tracing::Level::DEBUG => ("DEBUG", 10),
        tracing::Level::INFO => ("INFO", 20),
        tracing::Level::WARN => ("WARNING", 30),
        tracing::Level::ERROR => ("ERROR", 40),
    }
}

/// The message; `None` if the event has none.
pub fn message(case: &Case) -> Option<&Held> {
    let mut fields = case.event.fields.iter().rev();
    fields.find(|(name, _)| name == "message").map(|(_, held)| held)
}

/// The fields of the event that count, in order, all but the message: what they are called, after
/// `named` has had a say in it, their own name and their value.
pub fn of_event(case: &Case, named: impl Fn(&str) -> String) -> Vec<(String, &str, &Held)> {
    let fields = in_place(&case.event, named);
    fields.into_iter().filter(|(name, ..)| name != "message").collect()
}

/// The fields of the spans that count and have a value, in order, with what they are called. Those that
/// are `taken` are the event's.
pub fn of_spans(
    case: &Case,
    mut taken: Vec<String>,
    named: impl Fn(&str) -> String,
    of: impl Fn(&Held) -> Option<Expected>,
) -> Vec<(String, Expected)> {
    let mut all = Vec::new();
    for span in case.spans.iter().rev() {
        let mut now = span.made.clone();
        for (index, later) in &span.recorded {
            // Recording no value keeps the old one.
            if let (Some((_, held)), false) =
                (now.fields.get_mut(*index), matches!(later, Held::Nothing))
            {
                *held = later.clone();
            }
        }
        for (name, _, held) in in_place(&now, &named) {
            if let (false, Some(value)) = (taken.contains(&name), of(held)) {
                taken.push(name.clone());
                all.push((name, value));
            }
        }
    }
    all
}

/// The last value of each name, where it stands.
fn in_place(fields: &Fields, named: impl Fn(&str) -> String) -> Vec<(String, &str, &Held)> {
    let names: Vec<_> = fields.fields.iter().map(|(name, _)| named(name)).collect();
    let all = fields.fields.iter().enumerate();
    all.filter(|(index, _)| !names[index + 1..].contains(&names[*index]))
        .map(|(index, (own, held))| (names[index].clone(), own.as_str(), held))
        .collect()
}

/// A name without the prefixes that lead out of the context, and how many there are.
pub fn inner(name: &str) -> (&str, usize) {
    let mut rest = name;
    let mut prefixes = 0;
    while let Some(inner) = rest.strip_prefix("fields.") {
        rest = inner;
        prefixes += 1;
    }
    (rest, prefixes)
}

/// A name with the prefixes that lead out of a context with these keys. Usually that is one; more if the
/// context itself has such names.
pub fn outside(keys: &[String], name: &str) -> String {
    let most = keys.iter().map(|key| inner(key).1).max().unwrap_or(0);
    format!("{}{name}", "fields.".repeat(most + 1))
}
