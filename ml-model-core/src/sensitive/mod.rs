//! [`Sensitive`] values, which only an explicit call reads, and the sensitive parts of a JSON Schema.

pub(crate) mod schema;
pub(crate) mod unmarked;

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::log_value::LogValue;

/// Text in place of a value that is not shown.
pub(crate) const REDACTED: &str = "[REDACTED]";

/// Name under which a sensitive value is serialized. Formats ignore it; the fields of a configuration
/// are recognised by it.
pub(crate) const NAME: &str = "ml_model_core::Sensitive";

/// A value that must not appear in logs and messages, such as a name or a social security number.
///
/// In JSON it is a `T`. `Debug` prints `[REDACTED]`. The schema has `"x-sensitive": true` and neither
/// examples nor defaults. Messages about an invalid value do not quote it. [`expose`](Self::expose) reads
/// the value; there is no `Deref`, no `Display` and no [`LogValue`].
///
/// Messages and examples follow the schema. A field of this type with another schema by
/// `#[schemars(with = "...")]` or `schema_with` needs `#[schemars(extend("x-sensitive" = true))]`; see
/// [`unmarked_sensitive`](crate::unmarked_sensitive). Decorators of JSON models see the value as plain JSON.
///
/// A `logging` decorator takes such a field with a policy only: `redacted(ssn)`, `hashed(ssn)` or
/// `bucketed(income, 1000)`.
///
/// ```
/// use ml_model_core::Sensitive;
///
/// let ssn: Sensitive<String> = serde_json::from_str(r#""078-05-1120""#)?;
/// assert_eq!(format!("{ssn:?}"), "[REDACTED]");
/// assert_eq!(ssn.expose(), "078-05-1120");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sensitive<T>(T);

impl<T> Sensitive<T> {
    /// Marks a value as sensitive.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// Returns the value. The caller is responsible for where it goes.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// Converts into the value. The caller is responsible for where it goes.
    pub fn into_exposed(self) -> T {
        self.0
    }

    /// Does not compile. Without it, the error about `to_string()` would not name [`expose`](Self::expose).
    #[doc(hidden)]
    #[allow(clippy::inherent_to_string_shadow_display, reason = "neither can be called")]
    pub fn to_string(&self) -> String
    where
        [Self]: DisplayedWithoutExpose,
    {
        REDACTED.to_owned()
    }
}

/// Declares methods that do not compile: those of text, and names that other libraries have for
/// [`expose`](Sensitive::expose). Without them, the errors about their calls would not name it.
macro_rules! unreadable {
    ($($name:ident($($argument:ident)?),)*) => {
        impl<T> Sensitive<T> {
            $(
                #[doc(hidden)]
                pub fn $name$(<$argument>)?(&self $(, _: $argument)?) -> &T
                where
                    [Self]: ReadWithoutExpose,
                {
                    self.expose()
                }
            )*
        }
    };
}

unreadable! {
    as_str(), as_bytes(), chars(), len(), is_empty(), trim(), to_lowercase(), to_uppercase(),
    contains(A), starts_with(A), ends_with(A), split(A),
    reveal(), get(), value(), inner(), expose_secret(),
}

impl<T> Sensitive<T> {
    #[doc(hidden)]
    pub fn into_inner(self) -> T
    where
        [Self]: ReadWithoutExpose,
    {
        self.into_exposed()
    }
}

impl<T> From<T> for Sensitive<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> fmt::Debug for Sensitive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl<T: Serialize> Serialize for Sensitive<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(NAME, &self.0)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Sensitive<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The messages of serde quote the value.
        T::deserialize(deserializer).map(Self).map_err(|_| de::Error::custom(schema::NOT_VALID))
    }
}

impl<T: JsonSchema> JsonSchema for Sensitive<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Sensitive_{}", T::schema_name()).into()
    }

    fn schema_id() -> Cow<'static, str> {
        format!("Sensitive<{}>", T::schema_id()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = generator.subschema_for::<T>();
        schema.insert(schema::KEYWORD.to_owned(), true.into());
        schema
    }
}

/// A trait without implementations, which excludes [`Sensitive`] from the [`LogValue`]s.
///
/// The compiler reports the innermost unmet bound if it concerns another type. The bound is therefore on
/// `[Sensitive<T>]`, so that this message replaces that of [`LogValue`].
#[diagnostic::on_unimplemented(
    message = "a sensitive field is logged through a policy only",
    label = "this field is `Sensitive`",
    note = "write `redacted(field)` for \"[REDACTED]\", `hashed(field)` for a keyed digest, or \
            `bucketed(field, 10)` for the lower bound of a number's bucket"
)]
pub trait LoggedWithoutPolicy {}

/// A trait without implementations, which excludes [`Sensitive`] from the types with a `Display`, in the same way
/// as [`LoggedWithoutPolicy`].
#[diagnostic::on_unimplemented(
    message = "a sensitive value has no text",
    label = "this value is `Sensitive`",
    note = "`.expose()` reads the value, and the program is responsible for where it goes; `{{:?}}` prints \"[REDACTED]\""
)]
pub trait DisplayedWithoutExpose {}

/// A trait without implementations, which explains calls of methods that [`Sensitive`] does not have.
#[diagnostic::on_unimplemented(
    message = "a sensitive value is read by `expose()`",
    label = "this value is `Sensitive`",
    note = "`.expose()` returns a reference to the value, `.into_exposed()` the value; the program is responsible for where \
            it goes"
)]
pub trait ReadWithoutExpose {}

impl<T> fmt::Display for Sensitive<T>
where
    [Self]: DisplayedWithoutExpose,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl<T> LogValue for Sensitive<T>
where
    [Self]: LoggedWithoutPolicy,
{
    type Value<'a>
        = &'static str
    where
        T: 'a;

    fn log_value(&self) -> &'static str {
        REDACTED
    }
}
