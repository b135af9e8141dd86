//! What goes through a stack of decorators and what comes back: [`Request`], [`Prediction`] and the
//! [`Context`] that both carry.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::ops::{Deref, DerefMut};

use crate::{PredictionError, PredictionId, Violation};

/// One call of a model: the input and the call's metadata.
///
/// Any input is a request: `model.predict(input)` and
/// `model.predict(Request::new(input).with_prediction_id("order-7"))` both work.
///
/// A caller that could not make an input out of what it was given sends [`Request::invalid`]
/// through the stack all the same, so that decorators record the refusal with its prediction id.
/// The model itself is never called then.
#[derive(Debug)]
pub struct Request<I> {
    input: Option<I>,
    // Boxed and absent from all requests that are acceptable: nothing to fill in or to drop.
    violations: Option<Box<Violations>>,
    context: Context,
}

type Violations = Vec<Violation>;

impl<I> Request<I> {
    /// A request for a prediction from `input`.
    #[inline]
    pub fn new(input: I) -> Self {
        Self { input: Some(input), violations: None, context: Context::default() }
    }

    /// A request whose input was not acceptable.
    ///
    /// The stack answers it with [`PredictionError::InvalidInput`].
    pub fn invalid(violations: Vec<Violation>) -> Self {
        Self { input: None, violations: Some(Box::new(violations)), context: Context::default() }
    }

    /// Gives the request the caller's id: 1–128 characters of `[A-Za-z0-9._:-]`.
    ///
    /// Anything else makes the request invalid; the prediction then fails with
    /// [`PredictionError::InvalidInput`].
    #[must_use]
    pub fn with_prediction_id<P>(mut self, id: P) -> Self
    where
        P: TryInto<PredictionId, Error: Into<Violation>>,
    {
        match id.try_into() {
            Ok(id) => self.context.set_prediction_id(id),
            Err(error) => self.add_violation(error),
        }
        self
    }

    /// The same request in another place in memory.
    ///
    /// Passing the copy to a function that is not inlined leaves the original where the compiler
    /// can see through it: in registers, or nowhere.
    #[inline]
    pub(crate) fn relocated(self) -> Self {
        let Self { input, violations, context } = self;
        Self { input, violations, context }
    }

    /// Replaces the call's metadata.
    #[must_use]
    pub fn with_context(mut self, context: Context) -> Self {
        self.context = context;
        self
    }

    /// The input. `None` if the caller could not make one: see [`violations`](Self::violations).
    #[inline]
    pub fn input(&self) -> Option<&I> {
        self.input.as_ref()
    }

    /// What is wrong with the request; empty if it is acceptable.
    pub fn violations(&self) -> &[Violation] {
        self.violations.as_ref().map_or(&[], |violations| violations.as_slice())
    }

    /// Marks the request as unacceptable. The model will not be called.
    pub fn add_violation(&mut self, violation: impl Into<Violation>) {
        self.violations.get_or_insert_default().push(violation.into());
    }

    /// The id that joins everything recorded about this call.
    #[inline]
    pub fn prediction_id(&self) -> Option<&PredictionId> {
        self.context.prediction_id()
    }

    /// The call's metadata.
    #[inline]
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The call's metadata, to be added to.
    #[inline]
    pub fn context_mut(&mut self) -> &mut Context {
        &mut self.context
    }

    /// The same request for another form of its input.
    ///
    /// A `convert` that fails makes the request invalid. It is not called without an input.
    pub fn try_map<J>(self, convert: impl FnOnce(I) -> Result<J, Violation>) -> Request<J> {
        let Self { input, mut violations, context } = self;
        let input = match input.map(convert) {
            Some(Ok(input)) => Some(input),
            Some(Err(violation)) => {
                violations.get_or_insert_default().push(violation);
                None
            }
            None => None,
        };
        Request { input, violations, context }
    }

    /// The input and the call's metadata.
    ///
    /// # Errors
    ///
    /// [`PredictionError::InvalidInput`] if the request is not acceptable.
    #[inline]
    pub fn into_parts(self) -> Result<(I, Context), PredictionError> {
        match (self.input, self.violations) {
            (Some(input), None) => Ok((input, self.context)),
            (_, violations) => Err(refused(violations)),
        }
    }
}

/// Apart, so that what every call passes through stays small enough to be inlined.
#[cold]
fn refused(violations: Option<Box<Violations>>) -> PredictionError {
    let mut violations = violations.map_or_else(Vec::new, |violations| *violations);
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

/// A model's answer: the output and the call's metadata. Derefs to the output.
#[derive(Debug)]
pub struct Prediction<O> {
    output: O,
    context: Context,
}

impl<O> Prediction<O> {
    /// The answer `output` to the call that `context` describes.
    ///
    /// A decorator that answers by itself, such as a cache, takes the context of its request.
    #[inline]
    pub fn new(output: O, context: Context) -> Self {
        Self { output, context }
    }

    /// What the model predicted.
    #[inline]
    pub fn output(&self) -> &O {
        &self.output
    }

    /// What the model predicted, without the call's metadata.
    pub fn into_output(self) -> O {
        self.output
    }

    /// The output and the call's metadata.
    #[inline]
    pub fn into_parts(self) -> (O, Context) {
        (self.output, self.context)
    }

    /// The id that joins everything recorded about this call; there is one if a
    /// `prediction_id` decorator stands in the stack or the caller gave one.
    #[inline]
    pub fn prediction_id(&self) -> Option<&PredictionId> {
        self.context.prediction_id()
    }

    /// The call's metadata.
    #[inline]
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The call's metadata, to be added to.
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

/// Metadata of one call: its prediction id, and one value of any type that a decorator adds.
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
#[derive(Default)]
pub struct Context {
    // One pointer, null until used: a call that carries nothing pays nothing for moving it.
    metadata: Option<Box<Metadata>>,
    // Beside the box, so that counting a call without metadata does not allocate one.
    is_counted: bool,
}

#[derive(Default)]
struct Metadata {
    prediction_id: Option<PredictionId>,
    batch_row: Option<BatchRow>,
    values: HashMap<TypeId, Box<dyn Any + Send + Sync>>,
}

/// The place of a call in a batch: on its records as `batch_id` and `row`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchRow {
    /// Id that all rows of the batch share.
    pub batch_id: PredictionId,
    /// Number of the row, from 0.
    pub row: usize,
}

impl Context {
    /// The call's id, once the caller or a `prediction_id` decorator has given it one.
    #[inline]
    pub fn prediction_id(&self) -> Option<&PredictionId> {
        self.metadata.as_ref()?.prediction_id.as_ref()
    }

    /// Gives the call its id.
    #[inline]
    pub fn set_prediction_id(&mut self, id: PredictionId) {
        self.metadata.get_or_insert_default().prediction_id = Some(id);
    }

    /// The call's place in a batch, if it is part of one.
    #[inline]
    pub fn batch_row(&self) -> Option<&BatchRow> {
        self.metadata.as_ref()?.batch_row.as_ref()
    }

    /// Makes the call a part of a batch.
    pub fn set_batch_row(&mut self, row: BatchRow) {
        self.metadata.get_or_insert_default().batch_row = Some(row);
    }

    /// Adds a value and returns the one of the same type that it replaces.
    pub fn insert<T: Any + Send + Sync>(&mut self, value: T) -> Option<T> {
        self.metadata
            .get_or_insert_default()
            .values
            .insert(TypeId::of::<T>(), Box::new(value))
            .and_then(|replaced| replaced.downcast().ok())
            .map(|replaced| *replaced)
    }

    /// The value of type `T`, if one was added.
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.metadata.as_ref()?.values.get(&TypeId::of::<T>())?.downcast_ref()
    }

    /// Whether a decorator outside of this one counts the call.
    #[inline]
    pub(crate) fn is_counted(&self) -> bool {
        self.is_counted
    }

    /// Says to the decorators inside that the call is counted already.
    #[inline]
    pub(crate) fn set_counted(&mut self) {
        self.is_counted = true;
    }

    /// Takes back [`set_counted`](Self::set_counted).
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
