//! Forms of records with their formatters.

use ml_logging::{
    EcsFormatter, FormatError, FormatStyle, Formatter, HumanFormatter, JsonFormatter, StaticValue,
    TextFormatter,
};

use super::{held::Held, times::Times};

/// Settings of a formatter.
#[derive(Debug, Clone)]
pub enum Form {
    Json(JsonForm),
    Ecs(EcsForm),
    Human(HumanForm),
    Text(TextForm),
}

#[derive(Debug, Clone, Default)]
pub struct JsonForm {
    pub style: FormatStyle,
    /// The fields that the format names, in order.
    pub fields: Vec<String>,
    /// What stands between them.
    pub between: String,
    /// `None` if it is not known.
    pub times: Option<Times>,
    pub renames: Vec<(String, String)>,
    /// Each name once.
    pub statics: Vec<(String, Static)>,
    pub timestamp: Option<String>,
}

#[derive(Debug, Clone, Default)]
pub struct EcsForm {
    /// Each name once.
    pub statics: Vec<(String, Static)>,
    pub excluded: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct HumanForm {
    pub color: Option<bool>,
    pub times: Times,
}

#[derive(Debug, Clone)]
pub struct TextForm {
    pub style: FormatStyle,
    pub parts: Vec<Part>,
    pub times: Times,
}

/// A part of a format of text.
#[derive(Debug, Clone)]
pub enum Part {
    Text(String),
    Field(String, Spec),
}

impl Part {
    /// A field. Widths are for those whose text is known, whole numbers for those that are numbers.
    pub fn field(name: &str, spec: Spec) -> Self {
        let is_number = ["lineno", "levelno", "process", "msecs"].contains(&name);
        let fits = match spec {
            Spec::Plain => true,
            Spec::Number { .. } => is_number,
            Spec::Text { .. } => !["asctime", "created", "msecs", "thread"].contains(&name),
        };
        Self::Field(name.to_owned(), if fits { spec } else { Spec::Plain })
    }
}

/// How a field is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spec {
    Plain,
    Text {
        align: Align,
        width: usize,
        precision: Option<usize>,
    },
    /// A whole number, to the right.
    Number {
        zeros: bool,
        width: usize,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
    Centre,
}

/// A value that is the same in every record.
#[derive(Debug, Clone)]
pub enum Static {
    Text(String),
    Integer(i64),
    Float(f64),
    Bool(bool),
    Null,
}

impl Static {
    fn value(&self) -> StaticValue {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Integer(number) => (*number).into(),
            Self::Float(number) => (*number).into(),
            Self::Bool(value) => (*value).into(),
            Self::Null => ().into(),
        }
    }

    /// What an event would have.
    pub fn held(&self) -> Held {
        match self {
            Self::Text(text) => Held::Str(text.clone()),
            Self::Integer(number) => Held::I64(*number),
            Self::Float(number) => Held::F64(*number),
            Self::Bool(value) => Held::Bool(*value),
            Self::Null => Held::Nothing,
        }
    }
}

impl Form {
    /// The formatter.
    ///
    /// # Errors
    ///
    /// The format is invalid.
    pub fn formatter(&self) -> Result<Formatter, FormatError> {
        Ok(match self {
            Self::Json(form) => form.formatter()?.into(),
            Self::Ecs(form) => form.formatter().into(),
            Self::Human(form) => form.formatter()?.into(),
            Self::Text(form) => form.formatter()?.into(),
        })
    }
}

impl JsonForm {
    fn formatter(&self) -> Result<JsonFormatter, FormatError> {
        let can = self.fields.iter().all(|name| can_name(self.style, name));
        let style = if can { self.style } else { FormatStyle::Percent };
        let fields: Vec<_> =
            self.fields.iter().map(|name| field(style, name, Spec::Plain)).collect();
        let mut formatter = match style {
            FormatStyle::Comma => JsonFormatter::with_style(&fields.join(" , "), style)?,
            _ => {
                let between = text(style, &self.between);
                let format = format!("{between}{}{between}", fields.join(&between));
                JsonFormatter::with_style(&format, style)?
            }
        };
        if let Some(Times { format, zone }) = self.times {
            formatter = formatter.time_zone(zone.parse()?);
            if let Some(format) = format {
                formatter = formatter.date_format(format.directives)?;
            }
        }
        for (from, to) in &self.renames {
            formatter = formatter.rename_field(from, to);
        }
        for (name, value) in &self.statics {
            formatter = formatter.static_field(name, value.value());
        }
        Ok(match &self.timestamp {
            Some(name) => formatter.timestamp(name),
            None => formatter,
        })
    }
}

impl EcsForm {
    fn formatter(&self) -> EcsFormatter {
        let mut formatter = EcsFormatter::new();
        for (name, value) in &self.statics {
            formatter = formatter.static_field(name, value.value());
        }
        self.excluded.iter().fold(formatter, EcsFormatter::exclude_field)
    }
}

impl HumanForm {
    fn formatter(&self) -> Result<HumanFormatter, FormatError> {
        let mut formatter = HumanFormatter::new().time_zone(self.times.zone.parse()?);
        if let Some(color) = self.color {
            formatter = formatter.color(color);
        }
        match self.times.format {
            Some(format) => formatter.date_format(format.directives),
            None => Ok(formatter),
        }
    }
}

impl TextForm {
    /// A format in the style asked for, if that has all the names.
    pub fn new(style: FormatStyle, mut parts: Vec<Part>, times: Times) -> Self {
        let can = |part: &Part| match part {
            Part::Text(_) => true,
            Part::Field(name, _) => can_name(style, name),
        };
        let style = if parts.iter().all(can) { style } else { FormatStyle::Percent };
        if matches!(style, FormatStyle::Dollar | FormatStyle::Comma) {
            for part in &mut parts {
                if let Part::Field(_, spec) = part {
                    *spec = Spec::Plain;
                }
            }
        }
        if style == FormatStyle::Comma {
            let fields = parts.into_iter().filter(|part| matches!(part, Part::Field(..)));
            let separated = fields.flat_map(|field| [Part::Text(", ".to_owned()), field]);
            parts = separated.skip(1).collect();
        }
        Self { style, parts, times }
    }

    fn formatter(&self) -> Result<TextFormatter, FormatError> {
        let style = self.style;
        let part = |part: &Part| match part {
            Part::Text(part) => text(style, part),
            Part::Field(name, spec) => field(style, name, *spec),
        };
        let format: String = self.parts.iter().map(part).collect();
        let formatter = TextFormatter::with_style(&format, style)?;
        let formatter = formatter.time_zone(self.times.zone.parse()?);
        match self.times.format {
            Some(format) => formatter.date_format(format.directives),
            None => Ok(formatter),
        }
    }
}

/// Returns whether a format of this style can have a field of this name.
pub fn can_name(style: FormatStyle, name: &str) -> bool {
    !name.is_empty()
        && match style {
            FormatStyle::Percent => !name.contains(['(', ')', '%']),
            FormatStyle::Brace => !name.contains(['{', '}', '!', ':']),
            FormatStyle::Dollar => !name.contains('}'),
            FormatStyle::Comma => !name.contains(',') && name.trim() == name,
        }
}

/// Text for a format.
fn text(style: FormatStyle, text: &str) -> String {
    match style {
        FormatStyle::Percent => text.replace('%', "%%"),
        FormatStyle::Brace => text.replace('{', "{{").replace('}', "}}"),
        FormatStyle::Dollar => text.replace('$', "$$"),
        FormatStyle::Comma => text.to_owned(),
    }
}

/// A field for a format.
fn field(style: FormatStyle, name: &str, spec: Spec) -> String {
    let dot = |precision: Option<usize>| precision.map_or(String::new(), |p| format!(".{p}"));
    match (style, spec) {
        (FormatStyle::Percent, Spec::Plain) => format!("%({name})s"),
        (FormatStyle::Percent, Spec::Text { align, width, precision }) => {
            let flag = if align == Align::Left { "-" } else { "" };
            format!("%({name}){flag}{width}{}s", dot(precision))
        }
        (FormatStyle::Percent, Spec::Number { zeros, width }) => {
            format!("%({name}){}{width}d", if zeros { "0" } else { "" })
        }
        (FormatStyle::Brace, Spec::Plain) => format!("{{{name}}}"),
        (FormatStyle::Brace, Spec::Text { align, width, precision }) => {
            let sign = match align {
                Align::Left => '<',
                Align::Right => '>',
                Align::Centre => '^',
            };
            format!("{{{name}:{sign}{width}{}}}", dot(precision))
        }
        (FormatStyle::Brace, Spec::Number { zeros, width }) => {
            format!("{{{name}:{}{width}d}}", if zeros { "0" } else { "" })
        }
        (FormatStyle::Dollar, _) => format!("${{{name}}}"),
        (FormatStyle::Comma, _) => name.to_owned(),
    }
}
