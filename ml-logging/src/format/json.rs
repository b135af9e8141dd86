//! JSON whose first keys are the fields of a format string.

use super::{
    asctime::Asctime,
    built_in::BUILT_IN,
    error::FormatError,
    format_string::{DEFAULT_FORMAT, FormatField, fields},
    layout::{ContextField, JsonLayout, Source, source},
    static_value::StaticValue,
    style::FormatStyle,
    time::TimeFormat,
    time_zone::TimeZone,
};

/// Format of [`JsonFormatter::timestamp`], as in `python-json-logger`.
const ISO_8601: &str = "%Y-%m-%dT%H:%M:%S.%f+00:00";

/// Writes JSON whose first keys are the fields of a format string of Python's `logging`.
///
/// As in `python-json-logger`, only the names and their order count. Conversions such as `s`, `d` or `-8s` must
/// be well formed but do not change the value. Text between the fields is ignored. `%%` is a percent sign, so
/// that `%%(name)s` is not a field.
///
/// ```
/// use ml_logging::JsonFormatter;
///
/// let formatter = JsonFormatter::new("%(asctime)s [%(levelname)-8s] %(message)s")?
///     .date_format("%Y-%m-%dT%H:%M:%S.%3f%z")?
///     .time_zone("Europe/Berlin".parse()?)
///     .rename_field("levelname", "level")
///     .static_field("service", "insurance");
/// assert_eq!(formatter.fields().collect::<Vec<_>>(), ["asctime", "levelname", "message"]);
///
/// let error = JsonFormatter::new("%(asctime)s %(message").unwrap_err();
/// assert!(error.to_string().starts_with("log format, column 13: "));
/// # Ok::<(), ml_logging::FormatError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonFormatter {
    fields: Vec<FormatField>,
    is_default: bool,
    asctime: Asctime,
    renames: Vec<(String, String)>,
    statics: Vec<(String, StaticValue)>,
    timestamp: Option<String>,
}

impl JsonFormatter {
    /// Parses a format string with fields such as `%(message)s`.
    ///
    /// Unknown fields are reported when the logging is built, because they depend on the filters.
    ///
    /// # Errors
    ///
    /// A field is not closed, has no conversion or occurs twice, or there is no field.
    pub fn new(format: &str) -> Result<Self, FormatError> {
        Self::with_style(format, FormatStyle::Percent)
    }

    /// Parses a format string of another style.
    ///
    /// # Errors
    ///
    /// Same as [`new`](Self::new).
    pub fn with_style(format: &str, style: FormatStyle) -> Result<Self, FormatError> {
        Ok(Self {
            fields: fields(format, style)?,
            is_default: false,
            asctime: Asctime::new(),
            renames: Vec::new(),
            statics: Vec::new(),
            timestamp: None,
        })
    }

    /// Sets the format of `asctime`, which is `2022-06-12 18:09:45,971` by default.
    ///
    /// Supported are the `strftime` directives that Python documents, and of the GNU C library `%C`, `%D`, `%e`,
    /// `%F`, `%g`, `%h`, `%k`, `%l`, `%R`, `%r`, `%s`, `%T` and the flags `-`, `_`, `0` and `^`. `%f` is the
    /// microsecond, as in Python's `datetime`, and `%3f` the millisecond.
    ///
    /// # Errors
    ///
    /// The format has an unknown directive.
    pub fn date_format(mut self, format: &str) -> Result<Self, FormatError> {
        self.asctime.set_format(format)?;
        Ok(self)
    }

    /// Sets the time zone of `asctime`; UTC by default. A name is parsed, as in `"Europe/Berlin".parse()?`.
    #[must_use]
    pub fn time_zone(mut self, time_zone: TimeZone) -> Self {
        self.asctime.set_zone(time_zone);
        self
    }

    /// Writes a field under another key at the same position. It may be a field of the format, a static field,
    /// or a field of events and spans.
    ///
    /// A field of an event that already has the new name becomes `fields.<name>`. Two fields with the same key
    /// are reported when the logging is built.
    #[must_use]
    pub fn rename_field(mut self, from: impl Into<String>, to: impl Into<String>) -> Self {
        let from = from.into();
        self.renames.retain(|(other, _)| *other != from);
        self.renames.push((from, to.into()));
        self
    }

    /// Adds a field with the same value in every record. If the format names the field, the static value
    /// replaces it there. Otherwise it follows the fields of the format.
    #[must_use]
    pub fn static_field(mut self, name: impl Into<String>, value: impl Into<StaticValue>) -> Self {
        let name = name.into();
        self.statics.retain(|(other, _)| *other != name);
        self.statics.push((name, value.into()));
        self
    }

    /// Adds the time under a key, as `2022-06-12T18:09:45.971234+00:00` in UTC. It is written where the format
    /// names the key, or after the fields of the event.
    #[must_use]
    pub fn timestamp(mut self, key: impl Into<String>) -> Self {
        self.timestamp = Some(key.into());
        self
    }

    /// Returns the names of the fields in order.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|field| field.name.as_str())
    }

    /// Returns the fields that must be built in or provided by filters.
    pub(super) fn required_fields(&self) -> impl Iterator<Item = &str> {
        let has_hostname = |name: &str| self.is_default && name == "hostname";
        self.fields().filter(move |name| !self.is_own(name) && !has_hostname(name))
    }

    /// Returns whether this is the default format, which contains the host name without a filter.
    pub(super) fn is_default(&self) -> bool {
        self.is_default
    }

    fn is_own(&self, name: &str) -> bool {
        self.timestamp.as_deref() == Some(name) || self.statics.iter().any(|(own, _)| own == name)
    }

    /// Returns the names of the fields that every record has, in order.
    pub(crate) fn context(&self) -> impl Iterator<Item = &str> {
        let own = self.statics.iter().map(|(name, _)| name).chain(&self.timestamp);
        let own = own.map(String::as_str).chain(["message"]);
        self.fields().chain(own.filter(|own| !self.fields().any(|name| name == *own)))
    }

    fn key<'a>(&'a self, name: &'a str) -> &'a str {
        self.renames.iter().find(|(from, _)| from == name).map_or(name, |(_, to)| to)
    }

    /// Checks that all keys of a record are different.
    pub(crate) fn check(&self) -> Result<(), FormatError> {
        if self.is_own("message") {
            return Err(FormatError::FixedMessage);
        }
        // If the format names both they would have the same position.
        let mut statics = self.statics.iter().map(|(name, _)| name);
        if let Some(name) = statics.find(|name| self.timestamp.as_ref() == Some(name)) {
            return Err(FormatError::KeyTwice { key: self.key(name).to_owned() });
        }
        let renamed = self.renames.iter().map(|(from, _)| from.as_str());
        let renamed = renamed.filter(|from| !self.context().any(|name| name == *from));
        let mut keys: Vec<&str> = Vec::new();
        for name in self.context().chain(renamed.clone()) {
            let key = self.key(name);
            if keys.contains(&key) {
                let is_reversed = self.context().any(|name| name == key)
                    && renamed.clone().any(|from| from == name);
                return Err(if is_reversed {
                    FormatError::RenamedOver { from: name.to_owned(), to: key.to_owned() }
                } else {
                    FormatError::KeyTwice { key: key.to_owned() }
                });
            }
            keys.push(key);
        }
        Ok(())
    }

    /// Finds a source for each field.
    pub(super) fn layout(self, provided: &[(String, String)]) -> Result<JsonLayout, FormatError> {
        self.check()?;
        let asctime = self.asctime.source()?;
        let own = |name: &str| -> Result<Option<Source>, FormatError> {
            if let Some((_, value)) = self.statics.iter().find(|(own, _)| own == name) {
                return Ok(Some(Source::Fixed(value.json.clone())));
            }
            if self.timestamp.as_deref() == Some(name) {
                let format = TimeFormat::new(ISO_8601, TimeZone::UTC)?;
                return Ok(Some(Source::Time(format)));
            }
            Ok(None)
        };
        let mut head = Vec::new();
        for field in &self.fields {
            let known = match own(&field.name)? {
                None => source(&field.name, &asctime, provided),
                known => known,
            };
            let source = known.ok_or_else(|| unknown(field, provided))?;
            head.push(ContextField { key: self.key(&field.name).to_owned(), source });
        }
        let mut tail = Vec::new();
        for name in self.context().skip(self.fields.len()) {
            let Some(source) = own(name)? else { continue };
            let place = if self.timestamp.as_deref() == Some(name) { &mut tail } else { &mut head };
            place.push(ContextField { key: self.key(name).to_owned(), source });
        }
        let renames: Vec<_> = self
            .renames
            .iter()
            .filter(|(from, _)| !self.context().any(|name| name == from))
            .cloned()
            .collect();
        let is_placed = self.fields().any(|name| name == "message");
        let unplaced = (!is_placed).then(|| self.key("message").to_owned());
        Ok(JsonLayout::new(head, unplaced, tail, renames))
    }
}

impl Default for JsonFormatter {
    /// Returns the default format: `asctime`, `hostname`, `process`, `thread`, `name`, `pathname`, `lineno`,
    /// `levelname` and `message`. It does not require a [`HostnameFilter`](crate::HostnameFilter).
    fn default() -> Self {
        let formatter = Self::new(DEFAULT_FORMAT).expect("the default format is well formed");
        Self { is_default: true, ..formatter }
    }
}

/// Returns the error for a field that nothing provides.
pub(super) fn unknown(field: &FormatField, provided: &[(String, String)]) -> FormatError {
    let built_in = BUILT_IN.map(str::to_owned).into_iter();
    let available = built_in.chain(provided.iter().map(|(name, _)| name.clone())).collect();
    FormatError::Unknown { name: field.name.clone(), column: field.column, available }
}
