//! A subscriber that collects events, and the input, output and behaviour of most test models.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex};

use ml_model_core::{LogValue, MLModel, ModelMetadata};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tracing::field::{Field, Visit};
use tracing::subscriber::NoSubscriber;
use tracing::{Dispatch, Event, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, filter::LevelFilter};

/// One event, with its fields as text in the order of recording.
#[derive(Debug, Clone)]
pub struct Logged {
    pub level: tracing::Level,
    pub target: &'static str,
    pub file: &'static str,
    pub line: u32,
    /// Names of all fields that the call site declares.
    pub declared: Vec<&'static str>,
    pub fields: Vec<(&'static str, String)>,
    /// Prediction ids of the surrounding spans, outermost first.
    pub span_ids: Vec<String>,
}

impl Logged {
    pub fn get(&self, name: &str) -> Option<&str> {
        let field = self.fields.iter().find(|(known, _)| *known == name)?;
        Some(field.1.as_str())
    }

    pub fn message(&self) -> &str {
        self.get("message").unwrap_or_default()
    }

    pub fn names(&self) -> Vec<&'static str> {
        self.fields.iter().map(|(name, _)| *name).collect()
    }
}

#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<Logged>>>);

impl Log {
    pub fn records(&self) -> Vec<Logged> {
        self.0.lock().unwrap().clone()
    }
}

/// Runs `f` with a subscriber for events up to `level`, and returns the events.
pub fn logged<T>(level: LevelFilter, f: impl FnOnce() -> T) -> (T, Vec<Logged>) {
    // While there is only one subscriber, `tracing` registers a call site with the subscriber of the
    // current thread, which may be that of another test or none.
    static SECOND: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::new()));
    LazyLock::force(&SECOND);

    let log = Log::default();
    let subscriber = tracing_subscriber::registry().with(level).with(log.clone());
    let result = tracing::subscriber::with_default(subscriber, f);
    (result, log.records())
}

struct SpanId(String);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Log {
    fn on_new_span(
        &self,
        attributes: &tracing::span::Attributes<'_>,
        id: &tracing::span::Id,
        context: Context<'_, S>,
    ) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some((_, id_text)) = fields.0.into_iter().find(|(name, _)| *name == "prediction_id")
            && let Some(span) = context.span(id)
        {
            span.extensions_mut().insert(SpanId(id_text));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let scope = context.event_scope(event).into_iter();
        let span_ids = scope
            .flat_map(|scope| scope.from_root())
            .filter_map(|span| span.extensions().get::<SpanId>().map(|id| id.0.clone()))
            .collect();
        let metadata = event.metadata();
        self.0.lock().unwrap().push(Logged {
            level: *metadata.level(),
            target: metadata.target(),
            file: metadata.file().unwrap_or_default(),
            line: metadata.line().unwrap_or_default(),
            declared: metadata.fields().iter().map(|field| field.name()).collect(),
            fields: fields.0,
            span_ids,
        });
    }
}

#[derive(Default)]
struct Fields(Vec<(&'static str, String)>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push((field.name(), value.to_owned()));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.push((field.name(), format!("{value:?}")));
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema, LogValue)]
#[serde(rename_all = "lowercase")]
pub enum Sex {
    Male,
    Female,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Address {
    pub zip: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Input {
    #[schemars(range(min = 18, max = 65))]
    pub age: u8,
    pub sex: Sex,
    pub bmi: f64,
    pub address: Address,
    pub note: Option<String>,
    pub r#type: Option<u32>,
    pub point: (i32, (i64, i64)),
}

impl Input {
    pub fn example() -> Self {
        Self {
            age: 25,
            sex: Sex::Female,
            bmi: 21.5,
            address: Address { zip: "1010".into() },
            note: None,
            r#type: Some(7),
            point: (1, (2, 3)),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    pub charges: f64,
}

#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    #[error("no trees for age {age}")]
    NoTrees { age: u8, source: std::num::ParseIntError },
}

/// Returns the metadata of `model` with another version.
pub fn with_version(
    model: &impl MLModel,
    version: impl Into<Cow<'static, str>>,
) -> Cow<'_, ModelMetadata> {
    let mut metadata = model.metadata();
    metadata.to_mut().version = version.into();
    metadata
}

/// Returns ten times the age; fails at 40, panics at 50 and 51.
pub fn charges(input: &Input) -> Result<Output, ModelError> {
    match input.age {
        40 => {
            let source = "forty".parse::<u8>().unwrap_err();
            Err(ModelError::NoTrees { age: 40, source })
        }
        50 => panic!("fifty"),
        51 => panic!("fifty and {}", 1),
        age => Ok(Output { charges: f64::from(age) * 10.0 }),
    }
}

/// Implements `Infer` for a test model with [`charges`].
macro_rules! infer {
    ($model:ty) => {
        impl Infer for $model {
            type Input = Input;
            type Output = Output;
            type Error = crate::common::ModelError;

            fn infer(&self, input: &Input) -> Result<Output, Self::Error> {
                tracing::info!("thinking");
                crate::common::charges(input)
            }
        }
    };
}
