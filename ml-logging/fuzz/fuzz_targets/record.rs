//! Logs any event in any spans with any formatter.
#![no_main]

#[path = "../../tests/it/model/mod.rs"]
mod model;

use libfuzzer_sys::arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use ml_logging::FormatStyle;
use model::{
    Case, Fields, Form, Held, SpanCase,
    form::{Align, EcsForm, HumanForm, JsonForm, Part, Spec, Static, TextForm, can_name},
    names::{BUILT_IN, ECS_NAMES, NAMES},
    times::{FORMATS, Times, ZONES},
};
use tracing::Level;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(case) = case(&mut Unstructured::new(bytes)) {
        model::expected::check(&case);
    }
});

/// Names for the kind of formatter.
type Names = &'static [&'static str];

fn case(bytes: &mut Unstructured<'_>) -> Result<Case> {
    let mut provided: Vec<(String, String)> = Vec::new();
    let kind = bytes.int_in_range(0..=4)?;
    let names: Names = if kind == 2 { &ECS_NAMES } else { &NAMES };
    for (name, value) in several(bytes, 3, |bytes| Ok((name(bytes, names)?, bytes.arbitrary()?)))? {
        // A built-in name would make the set-up fail.
        let is_fit = can_name(FormatStyle::Percent, &name) && !BUILT_IN.contains(&name.as_str());
        if is_fit && provided.iter().all(|(other, _)| *other != name) {
            provided.push((name, value));
        }
    }
    let form = match kind {
        0 | 1 => Form::Json(json(bytes, &provided)?),
        2 => Form::Ecs(EcsForm {
            statics: statics(bytes, names)?,
            excluded: several(bytes, 2, |bytes| name(bytes, names))?,
        }),
        3 => Form::Human(HumanForm { color: bytes.arbitrary()?, times: times(bytes)? }),
        _ => Form::Text(text(bytes, &provided)?),
    };
    let levels = [Level::TRACE, Level::DEBUG, Level::INFO, Level::WARN, Level::ERROR];
    let (level, target) = (*bytes.choose(&levels)?, bytes.arbitrary()?);
    let spans = several(bytes, 3, |bytes| {
        let made = fields(bytes, names)?;
        let recorded = several(bytes, 3, |bytes| Ok((bytes.int_in_range(0..=7)?, held(bytes)?)))?;
        Ok(SpanCase { made, recorded })
    })?;
    Ok(Case { form, provided, level, target, event: fields(bytes, names)?, spans })
}

fn several<T>(
    bytes: &mut Unstructured<'_>,
    most: usize,
    mut one: impl FnMut(&mut Unstructured<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    (0..bytes.int_in_range(0..=most)?).map(|_| one(bytes)).collect()
}

fn json(bytes: &mut Unstructured<'_>, provided: &[(String, String)]) -> Result<JsonForm> {
    let mut form =
        JsonForm { style: style(bytes)?, times: Some(times(bytes)?), ..JsonForm::default() };
    if bytes.arbitrary()? {
        form.between = bytes.arbitrary()?;
        form.statics = statics(bytes, &NAMES)?;
        form.timestamp = if bytes.arbitrary()? { Some(name(bytes, &NAMES)?) } else { None };
        form.renames = several(bytes, 3, |bytes| {
            let from = if bytes.arbitrary()? { built_in(bytes)? } else { name(bytes, &NAMES)? };
            Ok((from, name(bytes, &NAMES)?))
        })?;
    }
    let statics = form.statics.iter().map(|(name, _)| name);
    let own: Vec<_> =
        provided.iter().map(|(name, _)| name).chain(statics).chain(&form.timestamp).collect();
    for _ in 0..bytes.int_in_range(1..=12)? {
        let name = match own.is_empty() || bytes.ratio(2, 3)? {
            true => built_in(bytes)?,
            false => (*bytes.choose(&own)?).clone(),
        };
        if can_name(FormatStyle::Percent, &name) && !form.fields.contains(&name) {
            form.fields.push(name);
        }
    }
    if form.fields.is_empty() {
        form.fields.push("levelname".to_owned());
    }
    Ok(form)
}

fn text(bytes: &mut Unstructured<'_>, provided: &[(String, String)]) -> Result<TextForm> {
    let mut parts = several(bytes, 8, |bytes| {
        Ok(match bytes.int_in_range(0..=3)? {
            0 => Part::Text(bytes.arbitrary()?),
            1 if !provided.is_empty() => Part::field(&bytes.choose(provided)?.0, spec(bytes)?),
            _ => Part::field(&built_in(bytes)?, spec(bytes)?),
        })
    })?;
    parts.push(Part::field("message", spec(bytes)?));
    Ok(TextForm::new(style(bytes)?, parts, times(bytes)?))
}

fn spec(bytes: &mut Unstructured<'_>) -> Result<Spec> {
    let width = bytes.int_in_range(0..=12)?;
    Ok(match bytes.int_in_range(0..=2)? {
        0 => Spec::Plain,
        1 => Spec::Number { zeros: bytes.arbitrary()?, width: width + 1 },
        _ => {
            let align = *bytes.choose(&[Align::Left, Align::Right, Align::Centre])?;
            let precision = bytes.int_in_range(0..=12)?;
            Spec::Text { align, width, precision: bool::arbitrary(bytes)?.then_some(precision) }
        }
    })
}

fn style(bytes: &mut Unstructured<'_>) -> Result<FormatStyle> {
    use FormatStyle::{Brace, Comma, Dollar, Percent};
    Ok(*bytes.choose(&[Percent, Brace, Dollar, Comma])?)
}

fn times(bytes: &mut Unstructured<'_>) -> Result<Times> {
    let format = if bytes.arbitrary()? { Some(*bytes.choose(&FORMATS)?) } else { None };
    Ok(Times { format, zone: bytes.choose(&ZONES)? })
}

/// Returns unique names.
fn statics(bytes: &mut Unstructured<'_>, names: Names) -> Result<Vec<(String, Static)>> {
    let mut statics: Vec<(String, Static)> = Vec::new();
    for _ in 0..bytes.int_in_range(0..=3)? {
        let value = match bytes.int_in_range(0..=4)? {
            0 => Static::Text(bytes.arbitrary()?),
            1 => Static::Integer(bytes.arbitrary()?),
            2 => Static::Float(bytes.arbitrary()?),
            3 => Static::Bool(bytes.arbitrary()?),
            _ => Static::Null,
        };
        let name = name(bytes, names)?;
        if statics.iter().all(|(other, _)| *other != name) {
            statics.push((name, value));
        }
    }
    Ok(statics)
}

fn built_in(bytes: &mut Unstructured<'_>) -> Result<String> {
    Ok((*bytes.choose(&BUILT_IN)?).to_owned())
}

fn fields(bytes: &mut Unstructured<'_>, names: Names) -> Result<Fields> {
    let mut fields = Vec::new();
    for _ in 0..bytes.int_in_range(0..=34)? {
        if bytes.is_empty() {
            break;
        }
        fields.push((name(bytes, names)?, held(bytes)?));
    }
    Ok(Fields { fields, backwards: bytes.arbitrary()? })
}

fn name(bytes: &mut Unstructured<'_>, names: Names) -> Result<String> {
    match bytes.ratio(3, 4)? {
        true => Ok((*bytes.choose(names)?).to_owned()),
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
