//! Format strings of Python's `logging`, in its three styles and a fourth of `python-json-logger`.

use super::{error::FormatError, style::FormatStyle};

/// Default format string.
pub(super) const DEFAULT_FORMAT: &str = "%(asctime)s %(hostname)s %(process)s %(thread)s %(name)s \
     %(pathname)s %(lineno)s %(levelname)s %(message)s";

/// Part of a format string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    Field(FormatField),
}

/// Field of a format string with its column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FormatField {
    pub(super) name: String,
    pub(super) column: usize,
    pub(super) format: FieldFormat,
}

/// Width, alignment and precision of a field in a line of text. JSON ignores them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct FieldFormat {
    pub(crate) width: usize,
    pub(crate) align: Align,
    pub(crate) precision: Option<usize>,
    /// Conversion, `d`, `f` and so on; `s` by default.
    pub(crate) kind: Option<char>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Align {
    Left,
    #[default]
    Right,
    Center,
    /// Right, filled with zeros.
    Zeros,
}

/// Largest width that is accepted.
const MAX_WIDTH: usize = 1000;

/// Parses a format string. Unknown fields are not detected: they depend on the filters.
pub(super) fn parse(format: &str, style: FormatStyle) -> Result<Vec<Piece>, FormatError> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = format;
    while !rest.is_empty() {
        let column = format[..format.len() - rest.len()].chars().count() + 1;
        let next = match style {
            FormatStyle::Percent => percent(rest),
            FormatStyle::Brace => brace(rest),
            FormatStyle::Dollar => dollar(rest),
            FormatStyle::Comma => Ok(comma(rest)),
        };
        let (next, length) =
            next.map_err(|problem| FormatError::Syntax { column, problem, style })?;
        match next {
            Next::Text(part) => text.push_str(part),
            Next::Field("", _) => {
                let problem = "the field has no name";
                return Err(FormatError::Syntax { column, problem, style });
            }
            Next::Field(name, form) => {
                if !text.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut text)));
                }
                pieces.push(Piece::Field(FormatField {
                    name: name.to_owned(),
                    column,
                    format: form,
                }));
            }
        }
        rest = &rest[length..];
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    if pieces.iter().all(|piece| matches!(piece, Piece::Text(_))) {
        return Err(FormatError::Empty { style });
    }
    Ok(pieces)
}

/// Parses a format string, and returns its fields. Each field must occur once.
pub(super) fn fields(format: &str, style: FormatStyle) -> Result<Vec<FormatField>, FormatError> {
    let mut fields: Vec<FormatField> = Vec::new();
    for piece in parse(format, style)? {
        let Piece::Field(field) = piece else { continue };
        if let Some(first) = fields.iter().find(|first| first.name == field.name) {
            let first = first.column;
            return Err(FormatError::Repeated { name: field.name, column: field.column, first });
        }
        fields.push(field);
    }
    Ok(fields)
}

/// Next part of a format string.
enum Next<'f> {
    Text(&'f str),
    Field(&'f str, FieldFormat),
}

/// Next part with its length, or a mistake.
type Read<'f> = Result<(Next<'f>, usize), &'static str>;

/// Reads the text up to one of the special characters; `None` if there is none.
fn text_until<'f>(rest: &'f str, special: &[char]) -> Option<(Next<'f>, usize)> {
    let length = rest.find(special).unwrap_or(rest.len());
    (length > 0).then(|| (Next::Text(&rest[..length]), length))
}

fn percent(rest: &str) -> Read<'_> {
    if let Some(text) = text_until(rest, &['%']) {
        return Ok(text);
    }
    if rest.starts_with("%%") {
        return Ok((Next::Text("%"), 2));
    }
    let Some(field) = rest.strip_prefix("%(") else {
        return Ok((Next::Text("%"), 1));
    };
    let (name, after) = match field.split_once(')') {
        Some((name, after)) if !name.contains(['(', '%']) => (name, after),
        _ => return Err("`%(` is never closed"),
    };
    let (form, after) = conversion(after)?;
    Ok((Next::Field(name, form), rest.len() - after.len()))
}

/// Parses what follows `)`: flags, width, precision and a conversion letter, as Python defines them.
fn conversion(text: &str) -> Result<(FieldFormat, &str), &'static str> {
    let unflagged = text.trim_start_matches(['#', '0', '+', ' ', '-']);
    let flags = &text[..text.len() - unflagged.len()];
    let (width, mut text) = number(unflagged.trim_start_matches('*'))?;
    let mut precision = None;
    if let Some(after) = text.strip_prefix('.') {
        let (number, after) = number(after.trim_start_matches('*'))?;
        precision = Some(number.unwrap_or(0));
        text = after;
    }
    let kind = text.chars().next().filter(|kind| "diouxXeEfFgGcrsa".contains(*kind));
    let kind = kind.ok_or("the field has no conversion")?;
    let align = match flags {
        _ if flags.contains('-') => Align::Left,
        _ if flags.contains('0') && !"rsac".contains(kind) => Align::Zeros,
        _ => Align::Right,
    };
    let form = FieldFormat { width: width.unwrap_or(0), align, precision, kind: Some(kind) };
    Ok((form, &text[1..]))
}

/// Splits a number off the start of a text.
fn number(text: &str) -> Result<(Option<usize>, &str), &'static str> {
    let after = text.trim_start_matches(|c: char| c.is_ascii_digit());
    match &text[..text.len() - after.len()] {
        "" => Ok((None, after)),
        digits => match digits.parse() {
            Ok(number) if number <= MAX_WIDTH => Ok((Some(number), after)),
            _ => Err("the field is wider than 1000 characters"),
        },
    }
}

fn brace(rest: &str) -> Read<'_> {
    if let Some(text) = text_until(rest, &['{', '}']) {
        return Ok(text);
    }
    for (doubled, one) in [("{{", "{"), ("}}", "}")] {
        if rest.starts_with(doubled) {
            return Ok((Next::Text(one), 2));
        }
    }
    let Some(field) = rest.strip_prefix('{') else {
        return Err("`}` closes nothing");
    };
    let field = match field.split_once('}') {
        Some((field, _)) if !field.contains('{') => field,
        _ => return Err("`{` is never closed"),
    };
    let (name, spec) = field.split_once(':').unwrap_or((field, ""));
    let mut form = brace_form(spec)?;
    let name = match name.split_once('!') {
        Some((name, "s")) => name,
        Some((name, "r" | "a")) => {
            form.kind = Some('r');
            name
        }
        Some(_) => return Err("`!` must be followed by `r`, `s` or `a`"),
        None => name,
    };
    Ok((Next::Field(name, form), field.len() + 2))
}

/// Parses what follows `:`: a fill (only the blank), an alignment, width, precision and type.
fn brace_form(spec: &str) -> Result<FieldFormat, &'static str> {
    const ALIGNS: [(char, Align); 3] =
        [('<', Align::Left), ('>', Align::Right), ('^', Align::Center)];
    let spec = spec.strip_prefix(' ').unwrap_or(spec);
    let given = ALIGNS.iter().find(|(sign, _)| spec.starts_with(*sign));
    let mut spec = &spec[usize::from(given.is_some())..];
    let zeros = given.is_none() && spec.starts_with('0');
    let (width, after) = number(spec)?;
    spec = after;
    let mut precision = None;
    if let Some(after) = spec.strip_prefix('.') {
        let (number, after) = number(after)?;
        precision = Some(number.ok_or("`.` must be followed by a number")?);
        spec = after;
    }
    let kind = spec.chars().next();
    if spec.len() > 1 || kind.is_some_and(|kind| !"sdfFeEgG".contains(kind)) {
        return Err("`:` must be followed by an alignment, a width and `s`, `d` or `f`");
    }
    let numeric = kind.is_some_and(|kind| kind != 's');
    let align = match given {
        Some((_, align)) => *align,
        None if zeros => Align::Zeros,
        None if numeric => Align::Right,
        None => Align::Left,
    };
    Ok(FieldFormat { width: width.unwrap_or(0), align, precision, kind })
}

fn dollar(rest: &str) -> Read<'_> {
    if let Some(text) = text_until(rest, &['$']) {
        return Ok(text);
    }
    if rest.starts_with("$$") {
        return Ok((Next::Text("$"), 2));
    }
    if let Some(field) = rest.strip_prefix("${") {
        let Some((name, _)) = field.split_once('}') else { return Err("`${` is never closed") };
        return Ok((Next::Field(name, FieldFormat::default()), name.len() + 3));
    }
    let name = &rest[1..];
    let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(name.len());
    if end == 0 || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("a single `$` names no field");
    }
    Ok((Next::Field(&name[..end], FieldFormat::default()), end + 1))
}

fn comma(rest: &str) -> (Next<'_>, usize) {
    let separator = |c: char| c == ',' || c.is_whitespace();
    let start = rest.find(|c| !separator(c)).unwrap_or(rest.len());
    if start > 0 {
        return (Next::Text(&rest[..start]), start);
    }
    let length = rest.find(',').unwrap_or(rest.len());
    (Next::Field(rest[..length].trim_end(), FieldFormat::default()), length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use FormatStyle::{Brace, Comma, Dollar, Percent};
    use proptest::prelude::*;

    fn names_in(format: &str, style: FormatStyle) -> Vec<String> {
        fields(format, style).unwrap().into_iter().map(|field| field.name).collect()
    }

    fn names(format: &str) -> Vec<String> {
        names_in(format, Percent)
    }

    #[test]
    fn names_are_kept_in_order_and_text_is_ignored() {
        assert_eq!(names("%(b)s, then %(a)s!"), ["b", "a"]);
        assert_eq!(names("%%(no)s 100% %s %(yes)s"), ["yes"]);
        assert_eq!(names("%(a)-8s%(b)05d%(c).3f%(d)#*.*x%(e)r"), ["a", "b", "c", "d", "e"]);
        assert_eq!(names(DEFAULT_FORMAT).len(), 9);
    }

    #[test]
    fn the_other_styles() {
        assert_eq!(names_in("{a} {{no}} {b!r:<8} {c:08.3f}", Brace), ["a", "b", "c"]);
        assert_eq!(names_in("$a $$no ${b}x $c_1-", Dollar), ["a", "b", "c_1"]);
        assert_eq!(names_in(" a, b ,,c d,", Comma), ["a", "b", "c d"]);
    }

    #[test]
    fn text_is_kept_between_the_fields() {
        let text = |format, style| {
            let pieces = parse(format, style).unwrap();
            pieces
                .into_iter()
                .map(|piece| match piece {
                    Piece::Text(text) => text,
                    Piece::Field(field) => format!("<{}>", field.name),
                })
                .collect::<String>()
        };
        assert_eq!(text("[%(a)s] 100% %%(b)s%(c)s.", Percent), "[<a>] 100% %(b)s<c>.");
        assert_eq!(text("{{{a}}} é", Brace), "{<a>} é");
        assert_eq!(text("$$5 ${a}.$b", Dollar), "$5 <a>.<b>");
    }

    #[test]
    fn mistakes_name_their_column() {
        let column = |format: &str, style| match fields(format, style) {
            Err(FormatError::Syntax { column, .. }) => column,
            other => panic!("{format}: {other:?}"),
        };
        assert_eq!(column("%(a", Percent), 1);
        assert_eq!(column("é %(a)s %(b %(c)s", Percent), 9);
        assert_eq!(column("%(a)s %()s", Percent), 7);
        assert_eq!(column("%(a)", Percent), 1);
        assert_eq!(column("%(a)s %(b)q", Percent), 7);
        assert_eq!(column("%(a)8 %(b)s", Percent), 1);
        assert_eq!(column("%(a)99999999999999999999s", Percent), 1);
        assert_eq!(column("{a} {b", Brace), 5);
        assert_eq!(column("{a} b}", Brace), 6);
        assert_eq!(column("{a:*<8}", Brace), 1);
        assert_eq!(column("{a!x}", Brace), 1);
        assert_eq!(column("{}", Brace), 1);
        assert_eq!(column("$a $", Dollar), 4);
        assert_eq!(column("$1", Dollar), 1);
        assert_eq!(column("${a", Dollar), 1);
    }

    #[test]
    fn a_repeated_field_names_both_columns() {
        let error = fields("%(a)s %(b)s %(a)d", Percent).unwrap_err();
        assert_eq!(error, FormatError::Repeated { name: "a".into(), column: 13, first: 1 });
    }

    #[test]
    fn a_format_without_fields_is_refused() {
        for (format, style) in [
            ("", Percent),
            ("{asctime}", Percent),
            ("100 %", Percent),
            ("%%(asctime)s", Percent),
            ("%(asctime)s", Brace),
            ("{asctime}", Dollar),
            (" ,", Comma),
        ] {
            assert_eq!(fields(format, style), Err(FormatError::Empty { style }), "{format}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(format: String, special in "[%(){}$,:!<^.0-9sd a-cé]{0,40}") {
            for style in [Percent, Brace, Dollar, Comma] {
                let _ = parse(&format, style);
                let _ = parse(&special, style);
            }
        }

        #[test]
        fn distinct_names_between_any_text_come_back(
            fields in proptest::collection::btree_set("[^()%{}$:!,]{1,12}", 1..12),
            text in "[^%{}$]{0,12}",
        ) {
            let format: String = fields.iter().map(|name| format!("{text}%({name})s")).collect();
            let braces: String = fields.iter().map(|name| format!("{text}{{{name}}}")).collect();
            let dollars: String = fields.iter().map(|name| format!("{text}${{{name}}}")).collect();
            let fields = fields.into_iter().collect::<Vec<_>>();
            prop_assert_eq!(&names(&format), &fields);
            prop_assert_eq!(&names_in(&braces, Brace), &fields);
            prop_assert_eq!(&names_in(&dollars, Dollar), &fields);
        }
    }
}
