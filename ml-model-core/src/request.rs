//! The types that pass through a stack of decorators: [`Request`], [`Prediction`], and the [`Context`]
//! that both carry.

use std::any::Any;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use crate::error::{PredictionError, Violation};
use crate::logged_field::readable::RefusedFields;
use crate::pending::PendingCalls;
use crate::prediction_id::{IntoPredictionId, PredictionId};

/// Request for one prediction: the input and the metadata of the call.
///
/// An input converts into a request: `model.predict(input)` and
/// `model.predict(Request::new(input).with_prediction_id("order-7"))` both work.
///
/// A caller that cannot construct an input sends [`Request::invalid`], so that decorators record the
/// failure with its prediction id. The model is not called for such a request.
///
/// A decorator that sends a request more than once, such as a retry, clones it.
///
/// ```
/// # use ml_model_core::{Infer, MLModel, PredictionError, Request, Violation};
/// # #[derive(MLModel)]
/// # #[decorate(prediction_id)]
/// # struct Double;
/// # impl Infer for Double {
/// #     type Input = f64;
/// #     type Output = f64;
/// #     type Error = std::convert::Infallible;
/// #     fn infer(&self, input: &f64) -> Result<f64, Self::Error> { Ok(2.0 * input) }
/// # }
/// let request = Request::new(1.5).with_prediction_id("order-7");
/// assert_eq!(Double.predict(request)?.prediction_id().unwrap().as_str(), "order-7");
///
/// let request = Request::invalid(vec![Violation::new("side", "must be a number")]);
/// let error = Double.predict(request).unwrap_err();
/// assert_eq!(error.to_string(), "invalid input: side: must be a number");
/// # Ok::<(), PredictionError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Request<I> {
    input: Option<I>,
    // Boxed, because a valid request has none and moves a null pointer.
    refusal: Option<Box<Refusal>>,
    context: Context,
}

/// What is known about the input of an invalid request.
#[derive(Clone, Debug, Default)]
struct Refusal {
    violations: Vec<Violation>,
    fields: RefusedFields,
}

impl<I> Request<I> {
    /// Creates a request for a prediction from `input`.
    #[inline]
    pub fn new(input: I) -> Self {
        Self { input: Some(input), refusal: None, context: Context::default() }
    }

    /// Creates a request with an invalid input.
    ///
    /// Its result is [`PredictionError::InvalidInput`].
    pub fn invalid(violations: Vec<Violation>) -> Self {
        let refusal = Refusal { violations, fields: RefusedFields::default() };
        Self { input: None, refusal: Some(Box::new(refusal)), context: Context::default() }
    }

    /// Adds the fields that could be read of an invalid input, for the records.
    #[must_use]
    pub fn with_refused_fields(mut self, fields: RefusedFields) -> Self {
        self.refusal.get_or_insert_default().fields = fields;
        self
    }

    /// Returns the fields that could be read of an invalid input.
    pub(crate) fn refused_fields(&self) -> Option<&RefusedFields> {
        self.refusal.as_ref().map(|refusal| &refusal.fields)
    }

    /// Sets the caller's id: 1–128 characters of `[A-Za-z0-9._:-]`.
    ///
    /// Any other id makes the request invalid. The prediction then fails with
    /// [`PredictionError::InvalidInput`].
    #[must_use]
    pub fn with_prediction_id(mut self, id: impl IntoPredictionId) -> Self {
        match id.into_prediction_id() {
            Ok(id) => self.context.set_prediction_id(id),
            Err(error) => self.add_violation(error),
        }
        self
    }

    /// Moves the request to another location in memory.
    ///
    /// Passed to a function that is not inlined, the copy allows the compiler to keep the original in
    /// registers, or to eliminate it.
    #[inline]
    pub(crate) fn relocated(self) -> Self {
        let Self { input, refusal, context } = self;
        Self { input, refusal, context }
    }

    /// Replaces the metadata of the call.
    #[must_use]
    pub fn with_context(mut self, context: Context) -> Self {
        self.context = context;
        self
    }

    /// Returns the input, or `None` if the caller could not construct one; see
    /// [`violations`](Self::violations).
    #[inline]
    pub fn input(&self) -> Option<&I> {
        self.input.as_ref()
    }

    /// Returns the reasons why the request is invalid; empty if it is valid.
    pub fn violations(&self) -> &[Violation] {
        self.refusal.as_ref().map_or(&[], |refusal| refusal.violations.as_slice())
    }

    /// Makes the request invalid. The model is not called for it.
    pub fn add_violation(&mut self, violation: impl Into<Violation>) {
        self.refusal.get_or_insert_default().violations.push(violation.into());
    }

    /// Returns the id that all records of the call share.
    #[inline]
    pub fn prediction_id(&self) -> Option<&PredictionId> {
        self.context.prediction_id()
    }

    /// Returns the metadata of the call.
    #[inline]
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Returns the metadata of the call for modification.
    #[inline]
    pub fn context_mut(&mut self) -> &mut Context {
        &mut self.context
    }

    /// Converts the input and keeps everything else.
    ///
    /// An error of `convert` makes the request invalid. Without an input, `convert` is not called.
    pub fn try_map<J>(self, convert: impl FnOnce(I) -> Result<J, Violation>) -> Request<J> {
        let Self { input, mut refusal, context } = self;
        let input = match input.map(convert) {
            Some(Ok(input)) => Some(input),
            Some(Err(violation)) => {
                refusal.get_or_insert_default().violations.push(violation);
                None
            }
            None => None,
        };
        Request { input, refusal, context }
    }

    /// Splits the request into the input and the metadata of the call.
    ///
    /// # Errors
    ///
    /// Returns [`PredictionError::InvalidInput`] if the request is invalid.
    #[inline]
    pub fn into_parts(self) -> Result<(I, Context), PredictionError> {
        match (self.input, self.refusal) {
            (Some(input), None) => Ok((input, self.context)),
            (_, refusal) => Err(invalid_input(refusal)),
        }
    }
}

/// A value that converts into a [`Request`]: the input, or a request with it.
///
/// It is implemented for everything that implements `Into<Request<I>>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the input of this model",
    label = "expected `{I}` or a `Request` with it",
    note = "`predict` takes the input by value; `infer` takes a reference",
    note = "for JSON, make the input with `serde_json::from_value` or `from_str` first",
    note = "for several inputs, call `predict` once for each"
)]
pub trait IntoRequest<I> {
    /// Converts into a request.
    fn into_request(self) -> Request<I>;
}

// Without the attribute, rustc would report `From` and not the remedy.
#[diagnostic::do_not_recommend]
impl<I, T: Into<Request<I>>> IntoRequest<I> for T {
    #[inline]
    fn into_request(self) -> Request<I> {
        self.into()
    }
}

/// Returns the error of an invalid request. It is a separate function, so that `into_parts` stays small
/// enough to be inlined.
#[cold]
fn invalid_input(refusal: Option<Box<Refusal>>) -> PredictionError {
    let mut violations = refusal.map_or_else(Vec::new, |refusal| refusal.violations);
    if violations.is_empty() {
        violations.push(Violation::new("", "there is no input"));
    }
    PredictionError::InvalidInput(violations)
}

impl<I> From<I> for Request<I> {
    #[inline]
    fn from(input: I) -> Self {
        Self::new(input)
    }
}

/// Result of a successful call: the output and the metadata of the call. It derefs to the output.
///
/// ```
/// # use ml_model_core::{Infer, MLModel, PredictionError};
/// # #[derive(MLModel)]
/// # #[decorate(prediction_id)]
/// # struct Double;
/// # impl Infer for Double {
/// #     type Input = f64;
/// #     type Output = f64;
/// #     type Error = std::convert::Infallible;
/// #     fn infer(&self, input: &f64) -> Result<f64, Self::Error> { Ok(2.0 * input) }
/// # }
/// let prediction = Double.predict(1.5)?;
/// assert_eq!(*prediction, 3.0);
/// assert!(prediction.prediction_id().is_some());
/// assert_eq!(prediction.into_output(), 3.0);
/// # Ok::<(), PredictionError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Prediction<O> {
    output: O,
    context: Context,
}

impl<O> Prediction<O> {
    /// Creates a prediction from an output and the metadata of its call.
    ///
    /// A decorator that returns a prediction without calling its model, such as a cache, passes the
    /// context of the request.
    #[inline]
    pub fn new(output: O, context: Context) -> Self {
        Self { output, context }
    }

    /// Returns the output of the model.
    #[inline]
    pub fn output(&self) -> &O {
        &self.output
    }

    /// Converts the prediction into its output.
    pub fn into_output(self) -> O {
        self.output
    }

    /// Splits the prediction into the output and the metadata of the call.
    #[inline]
    pub fn into_parts(self) -> (O, Context) {
        (self.output, self.context)
    }

    /// Returns the id that all records of the call share. It is present if the stack has a
    /// `prediction_id` decorator, or if the caller has set an id.
    #[inline]
    pub fn prediction_id(&self) -> Option<&PredictionId> {
        self.context.prediction_id()
    }

    /// Returns the metadata of the call.
    #[inline]
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Returns the metadata of the call for modification.
    #[inline]
    pub fn context_mut(&mut self) -> &mut Context {
        &mut self.context
    }
}

impl<O> Deref for Prediction<O> {
    type Target = O;

    #[inline]
    fn deref(&self) -> &O {
        &self.output
    }
}

impl<O> DerefMut for Prediction<O> {
    #[inline]
    fn deref_mut(&mut self) -> &mut O {
        &mut self.output
    }
}

/// Metadata of one call: its prediction id, its place in a batch, and the values that decorators add,
/// one per type.
///
/// ```
/// use ml_model_core::Context;
///
/// #[derive(Debug, PartialEq)]
/// struct Tenant(u32);
///
/// let mut context = Context::default();
/// context.insert(Tenant(7));
/// assert_eq!(context.get::<Tenant>(), Some(&Tenant(7)));
/// ```
#[derive(Clone, Default)]
pub struct Context {
    // Boxed and allocated at the first use: a call without metadata moves a null pointer.
    metadata: Option<Box<Metadata>>,
    // Outside the box, so that counting a call does not allocate.
    is_counted: bool,
}

#[derive(Clone, Default)]
struct Metadata {
    prediction_id: Option<PredictionId>,
    batch_row: Option<BatchRow>,
    pending: Option<Arc<PendingCalls>>,
    // A call has a few values at most, which a list finds faster than a hash table.
    values: Vec<Arc<dyn Any + Send + Sync>>,
}

/// Place of a call in a batch. Its records contain it as `batch_id` and `row`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchRow {
    /// Id of the batch.
    pub batch_id: PredictionId,
    /// Index of the row, from 0.
    pub row: usize,
}

impl Context {
    /// Returns the id of the call, if the caller or a `prediction_id` decorator has set it.
    #[inline]
    pub fn prediction_id(&self) -> Option<&PredictionId> {
        self.metadata.as_ref()?.prediction_id.as_ref()
    }

    /// Sets the id of the call.
    #[inline]
    pub fn set_prediction_id(&mut self, id: PredictionId) {
        self.metadata.get_or_insert_default().prediction_id = Some(id);
    }

    /// Returns the id of the call, after adding a random one if there is none.
    pub(crate) fn ensure_prediction_id(&mut self) -> &PredictionId {
        let id = &mut self.metadata.get_or_insert_default().prediction_id;
        id.get_or_insert_with(PredictionId::random)
    }

    /// Returns the place of the call in a batch, if it is part of one.
    #[inline]
    pub fn batch_row(&self) -> Option<&BatchRow> {
        self.metadata.as_ref()?.batch_row.as_ref()
    }

    /// Sets the place of the call in a batch.
    pub fn set_batch_row(&mut self, row: BatchRow) {
        self.metadata.get_or_insert_default().batch_row = Some(row);
    }

    /// Returns the pending predictions to which this call belongs.
    #[inline]
    pub(crate) fn pending(&self) -> Option<&Arc<PendingCalls>> {
        self.metadata.as_ref()?.pending.as_ref()
    }

    /// Sets the pending predictions to which this call belongs, so that the caller can abandon it. Its first
    /// record adds the call, and its last record removes it.
    pub fn set_pending(&mut self, calls: Arc<PendingCalls>) {
        self.metadata.get_or_insert_default().pending = Some(calls);
    }

    /// Adds a value, in place of one of the same type. Clones of the context share it.
    pub fn insert<T: Any + Send + Sync>(&mut self, value: T) {
        let values = &mut self.metadata.get_or_insert_default().values;
        let value = Arc::new(value);
        match values.iter_mut().find(|known| known.is::<T>()) {
            Some(known) => *known = value,
            None => values.push(value),
        }
    }

    /// Returns the value of type `T`, if a decorator has added one.
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.metadata.as_ref()?.values.iter().find_map(|value| value.downcast_ref())
    }

    /// Returns whether an outer `metrics` decorator counts the call.
    #[inline]
    pub(crate) fn is_counted(&self) -> bool {
        self.is_counted
    }

    /// Marks the call as counted for inner `metrics` decorators.
    #[inline]
    pub(crate) fn set_counted(&mut self) {
        self.is_counted = true;
    }

    /// Removes the mark of [`set_counted`](Self::set_counted).
    #[inline]
    pub(crate) fn clear_counted(&mut self) {
        self.is_counted = false;
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("prediction_id", &self.prediction_id())
            .field("values", &self.metadata.as_ref().map_or(0, |metadata| metadata.values.len()))
            .finish()
    }
}
