//! The bare model inside a stack of decorators.

use std::borrow::Cow;
use std::ops::Deref;

use schemars::Schema;

use crate::error::PredictionError;
use crate::infer::{Infer, InferError};
use crate::model::{Answer, Described, MLModel, ModelMetadata, StackInfo, row_by_row};
use crate::request::{Prediction, Request};

/// A model without its decorators.
///
/// The stack that the derive composes borrows the model, so that the user's struct stores nothing. A
/// stack that is chosen at run time owns the model in a box.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bare<P>(pub(crate) P);

impl<P: Deref> Deref for Bare<P> {
    type Target = P::Target;

    fn deref(&self) -> &P::Target {
        &self.0
    }
}

impl<P: Deref<Target: Infer + Described> + Send + Sync> MLModel for Bare<P> {
    type Input = <P::Target as Infer>::Input;
    type Output = <P::Target as Infer>::Output;

    #[inline]
    fn metadata(&self) -> Cow<'_, ModelMetadata> {
        Cow::Borrowed(P::Target::METADATA)
    }
    fn input_schema(&self) -> Schema {
        P::Target::bare_input_schema()
    }
    fn output_schema(&self) -> Schema {
        P::Target::bare_output_schema()
    }

    #[inline]
    fn call(&self, request: Request<Self::Input>) -> Answer<Self::Output> {
        let (input, context) = request.into_parts()?;
        match self.infer_with(&input, &context) {
            Ok(output) => Ok(Prediction::new(output, context)),
            Err(error) => Err(PredictionError::model(error.into_boxed())),
        }
    }

    fn call_batch(&self, requests: Vec<Request<Self::Input>>) -> Vec<Answer<Self::Output>> {
        if !self.takes_batches() {
            return row_by_row(requests, |request| self.call(request));
        }
        // The model receives the valid rows only.
        let mut rows = Vec::with_capacity(requests.len());
        let errors: Vec<_> = requests
            .into_iter()
            .map(|request| request.into_parts().map(|row| rows.push(row)).err())
            .collect();
        let outputs = if rows.is_empty() { Vec::new() } else { self.infer_batch(&rows) };
        let (expected, given) = (rows.len(), outputs.len());
        let mut results = rows.into_iter().zip(outputs).map(|((_input, context), output)| {
            output
                .map(|output| Prediction::new(output, context))
                .map_err(|error| PredictionError::model(error.into_boxed()))
        });
        let too_few = || {
            let message = format!("the model has returned {given} outputs for {expected} rows");
            Err(PredictionError::model(message))
        };
        errors
            .into_iter()
            .map(|error| match error {
                Some(error) => Err(error),
                None => results.next().unwrap_or_else(too_few),
            })
            .collect()
    }

    fn takes_batches(&self) -> bool {
        P::Target::TAKES_BATCHES
    }

    fn stack(&self) -> StackInfo {
        StackInfo::of_bare(P::Target::type_name())
    }
}
