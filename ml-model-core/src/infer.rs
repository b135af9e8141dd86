//! [`Infer`]: the trait that a model's author implements.

use std::error::Error;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::request::Context;

/// A model that computes one output from one input.
///
/// The author of a model implements this trait by hand; `#[derive(MLModel)]` builds on it.
///
/// ```
/// use ml_model_core::{Infer, MLModel};
///
/// /// Computes a square root.
/// #[derive(MLModel)]
/// struct SquareRoot;
///
/// impl Infer for SquareRoot {
///     type Input = f64;
///     type Output = f64;
///     type Error = String;
///
///     fn infer(&self, number: &f64) -> Result<f64, String> {
///         if *number < 0.0 {
///             return Err("the number is negative".to_owned());
///         }
///         Ok(number.sqrt())
///     }
/// }
///
/// assert_eq!(SquareRoot.infer(&9.0), Ok(3.0));
/// assert_eq!(SquareRoot.predict(-1.0).unwrap_err().to_string(), "the number is negative");
/// ```
#[diagnostic::on_unimplemented(
    message = "the model `{Self}` does not implement `Infer`",
    label = "this model has no `infer` method",
    note = "`#[derive(MLModel)]` builds on `Infer`: write `impl Infer for {Self}` with `Input`, \
            `Output`, `Error` and `fn infer`, and no `impl MLModel`",
    note = "if `{Self}` is not the model, such as its input, remove `MLModel` from its derives",
    note = "a decorator takes any model: write `impl<M: MLModel> Decorator<M>`, without `Infer`, and call the model by \
            `model.call(request)`"
)]
pub trait Infer {
    /// Input of the model. Its doc comments and `#[schemars(...)]` attributes become the input schema.
    type Input: HasSchema;
    /// Output of the model.
    type Output: HasSchema;
    /// Error of the model: an [`Error`], or anything that converts into a boxed one, such as `String` or
    /// `anyhow::Error`. [`std::convert::Infallible`] if the model cannot fail.
    type Error: InferError;

    /// Whether [`infer_batch`](Self::infer_batch) computes the rows of a batch together.
    ///
    /// Set it to `true` when you override `infer_batch`. If it is `false`, every row of a batch passes
    /// through the decorators and the model separately.
    const TAKES_BATCHES: bool = false;

    /// Makes one prediction.
    ///
    /// # Errors
    ///
    /// Returns the model's own error. [`MLModel::predict`](crate::MLModel::predict) wraps it in
    /// [`PredictionError::Model`](crate::PredictionError::Model). A [`Rejection`](crate::Rejection) refuses the
    /// request, and a `PredictionError` is returned unchanged.
    fn infer(&self, input: &Self::Input) -> Result<Self::Output, Self::Error>;

    /// Makes one prediction with access to the metadata of the call: its prediction id and the values
    /// that decorators have added to the [`Context`].
    ///
    /// The default calls [`infer`](Self::infer).
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`infer`](Self::infer).
    #[inline]
    fn infer_with(
        &self,
        input: &Self::Input,
        _context: &Context,
    ) -> Result<Self::Output, Self::Error> {
        self.infer(input)
    }

    /// Makes the predictions of a batch, for models that are faster with all rows at once.
    ///
    /// It is called only if [`TAKES_BATCHES`](Self::TAKES_BATCHES) is `true`. It returns one result per
    /// row, in the order of the rows. The default predicts row by row.
    ///
    /// ```
    /// # use ml_model_core::{Context, Infer, MLModel};
    /// # #[derive(MLModel)]
    /// # struct Sum;
    /// # impl Infer for Sum {
    /// #     type Input = Vec<f64>;
    /// #     type Output = f64;
    /// #     type Error = std::convert::Infallible;
    /// #     fn infer(&self, input: &Vec<f64>) -> Result<f64, Self::Error> { Ok(input.iter().sum()) }
    /// const TAKES_BATCHES: bool = true;
    ///
    /// fn infer_batch(&self, rows: &[(Self::Input, Context)]) -> Vec<Result<f64, Self::Error>> {
    ///     rows.iter().map(|(input, _context)| Ok(input.iter().sum())).collect()
    /// }
    /// # }
    /// # assert!(Sum.takes_batches());
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`infer`](Self::infer).
    fn infer_batch(
        &self,
        rows: &[(Self::Input, Context)],
    ) -> Vec<Result<Self::Output, Self::Error>> {
        rows.iter().map(|(input, context)| self.infer_with(input, context)).collect()
    }
}

/// A type with a JSON Schema. It is implemented for every type that implements [`JsonSchema`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no JSON Schema",
    label = "this type does not implement `JsonSchema`",
    note = "add `#[derive(JsonSchema)]` to the type, with `use schemars::JsonSchema` and `schemars = \"1\"` in `Cargo.toml`",
    note = "for a type of another crate, enable the feature of `schemars` for that crate, such as `chrono04` or `uuid1`",
    note = "`Output` is the type inside `Ok`, without the `Result` that `infer` returns"
)]
pub trait HasSchema {
    /// Returns the schema of the type as a document of its own.
    fn root_schema(generator: SchemaGenerator) -> Schema;
}

// Without the attribute, rustc would report `JsonSchema` and not the remedy.
#[diagnostic::do_not_recommend]
impl<T: JsonSchema + ?Sized> HasSchema for T {
    fn root_schema(generator: SchemaGenerator) -> Schema {
        generator.into_root_schema_for::<T>()
    }
}

/// The error of a model. It is implemented for every type that converts into a boxed [`Error`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of a model",
    label = "this type does not convert into `Box<dyn Error + Send + Sync>`",
    note = "use `String`, `anyhow::Error`, `Box<dyn Error + Send + Sync>` or a type that implements \
            `std::error::Error + Send + Sync`, for example by `#[derive(Debug, thiserror::Error)]`",
    note = "an error that contains an `Rc`, a `Cell` or a raw pointer is not `Send + Sync`: use an `Arc`, an atomic or the \
            text of the error in its place",
    note = "for a model that cannot fail, use `std::convert::Infallible`"
)]
pub trait InferError {
    /// Converts into a boxed error.
    fn into_boxed(self) -> Box<dyn Error + Send + Sync>;
}

// Without the attribute, rustc would report how the conversion fails and not the remedy.
#[diagnostic::do_not_recommend]
impl<T: Into<Box<dyn Error + Send + Sync>>> InferError for T {
    fn into_boxed(self) -> Box<dyn Error + Send + Sync> {
        self.into()
    }
}
