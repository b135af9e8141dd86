//! Any event in any spans, for any format.
#![no_main]

#[path = "../../tests/model/mod.rs"]
mod model;

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use model::{BUILT_IN, Case, Fields, Held, NAMES, SpanCase};
use tracing::Level;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(case) = case(&mut Unstructured::new(bytes)) {
        model::expected::check(&case);
    }
});

fn case(bytes: &mut Unstructured<'_>) -> Result<Case> {
    let mut format: Vec<String> = Vec::new();
    let mut provided = Vec::new();
    for _ in 0..bytes.int_in_range(1..=12)? {
        let name = match bytes.ratio(2, 3)? {
            true => (*bytes.choose(&BUILT_IN)?).to_owned(),
            false => name(bytes)?,
        };
        if name.is_empty() || name.contains(['(', ')', '%']) || format.contains(&name) {
            continue;
        }
        if !BUILT_IN.contains(&name.as_str()) {
            provided.push((name.clone(), bytes.arbitrary()?));
        }
        format.push(name);
    }
    if format.is_empty() {
        format.push("levelname".to_owned());
    }
    let levels = [Level::TRACE, Level::DEBUG, Level::INFO, Level::WARN, Level::ERROR];
    let (level, target) = (*bytes.choose(&levels)?, bytes.arbitrary()?);
    let mut spans = Vec::new();
    for _ in 0..bytes.int_in_range(0..=3)? {
        let made = fields(bytes)?;
        let mut recorded = Vec::new();
        for _ in 0..bytes.int_in_range(0..=3)? {
            recorded.push((bytes.int_in_range(0..=7)?, held(bytes)?));
        }
        spans.push(SpanCase { made, recorded });
    }
    Ok(Case { format, provided, level, target, event: fields(bytes)?, spans })
}

fn fields(bytes: &mut Unstructured<'_>) -> Result<Fields> {
    let mut fields = Vec::new();
    for _ in 0..bytes.int_in_range(0..=34)? {
        if bytes.is_empty() {
            break;
        }
        fields.push((name(bytes)?, held(bytes)?));
    }
    Ok(Fields { fields, backwards: bytes.arbitrary()? })
}

fn name(bytes: &mut Unstructured<'_>) -> Result<String> {
    match bytes.ratio(3, 4)? {
        true => Ok((*bytes.choose(&NAMES)?).to_owned()),
        false => bytes.arbitrary(),
    }
}

fn held(bytes: &mut Unstructured<'_>) -> Result<Held> {
    Ok(match bytes.int_in_range(0..=11)? {
        0 => Held::I64(bytes.arbitrary()?),
        1 => Held::U64(bytes.arbitrary()?),
        2 => Held::I128(bytes.arbitrary()?),
        3 => Held::U128(bytes.arbitrary()?),
        4 => Held::F64(bytes.arbitrary()?),
        5 => Held::Bool(bytes.arbitrary()?),
        6 => Held::Str(bytes.arbitrary()?),
        7 => Held::Debug(bytes.arbitrary()?),
        8 => Held::Display(bytes.arbitrary()?, bytes.arbitrary()?),
        9 => {
            let mut texts: Vec<String> = bytes.arbitrary()?;
            texts.push(bytes.arbitrary()?);
            Held::Error(texts)
        }
        10 => Held::Bytes(bytes.arbitrary()?),
        _ => Held::Nothing,
    })
}
