//! Items that the generated code of the derives uses. They may change in any release.

use std::any::{Any, TypeId};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::{self, ThreadId};

pub use std::borrow::Cow;
pub use std::concat;
pub use std::marker::{PhantomData, Send, Sync};
pub use std::primitive::{bool, str};
pub use std::time::Duration;
pub use std::vec::Vec;

pub use schemars::Schema;
pub use tracing::Level;

pub use crate::decorator::Decorator;
pub use crate::decorators::logging::callsites::LogSites;
pub use crate::decorators::logging::record::{Record, Recorder};
pub use crate::decorators::logging::{LoggingDecorator, Sampling};
pub use crate::decorators::{MetricsDecorator, PredictionIdDecorator};
pub use crate::infer::Infer;
pub use crate::log_value::LogValue;
pub use crate::logged_field::LoggedFields;
pub use crate::logged_field::path::{Path, WithoutFields, at};
pub use crate::model::{Answer, Described, Execution, MLModel, ModelMetadata, Shared, StackInfo};
pub use crate::policy::{bucketed_decimal, bucketed_whole, hashed, redacted};
pub use crate::request::Request;

use crate::append_list::AppendList;
use crate::bare::Bare;
use crate::decorator::Decorated;

pub use crate::__expression as expression;

/// Expands to its argument. A mistake in the syntax of the argument does not concern the code around it.
#[doc(hidden)]
#[macro_export]
macro_rules! __expression {
    ($expression:expr) => {
        $expression
    };
}

// The functions below return opaque types, so that rustc reports an unsuitable argument at that
// argument and not again at the uses of the result.

/// Returns the bare model of a stack.
#[inline]
pub fn bare<I, T: InferOf<I> + Described + Shared>(model: &T) -> impl ModelOf<T> {
    Bare(model)
}

/// Puts a decorator around a model.
#[inline]
pub fn decorate<D: Decorator<M>, M: MLModel>(
    decorator: D,
    model: M,
) -> impl MLModel<Input = M::Input, Output = M::Output> {
    Decorated::new(decorator, model)
}

/// Returns the value of a field for `tracing`.
#[inline]
pub fn field<T: LogValue + ?Sized>(value: &T) -> impl tracing::Value {
    value.log_value()
}

/// Input of the model `T`.
pub type Input<T> = <T as Infer>::Input;
/// Output of the model `T`.
pub type Output<T> = <T as Infer>::Output;

/// The model `T` itself. If `CHECKED` is a call of [`check`] that does not compile, the type is an error already, and
/// rustc reports no bound that contains it.
pub type Checked<T, const CHECKED: bool> = <T as IfChecked<CHECKED>>::Model;

/// See [`Checked`].
pub trait IfChecked<const CHECKED: bool> {
    /// The model.
    type Model: ?Sized;
}

impl<T: ?Sized, const CHECKED: bool> IfChecked<CHECKED> for T {
    type Model = T;
}

/// Reports what a model lacks, in one place.
#[must_use]
pub const fn check<T: Infer + Shared>() -> bool {
    true
}

/// A model with the input `I`. Without an `Infer`, `I` is an error already, and rustc does not report the bound, too.
pub trait InferOf<I>: Infer<Input = I> {}

impl<T: Infer> InferOf<T::Input> for T {}

/// Any model in the stack around the bare model `T`.
pub trait ModelOf<T: Infer>: MLModel<Input = T::Input, Output = T::Output> {}

impl<T: Infer, M: MLModel<Input = T::Input, Output = T::Output>> ModelOf<T> for M {}

/// Creates the metadata of a model.
pub const fn metadata(
    display_name: &'static str,
    qualified_name: &'static str,
    description: &'static str,
    version: &'static str,
) -> ModelMetadata {
    ModelMetadata {
        display_name: Cow::Borrowed(display_name),
        qualified_name: Cow::Borrowed(qualified_name),
        description: Cow::Borrowed(description),
        version: Cow::Borrowed(version),
    }
}

/// Detaches the metadata of a stack from the stack. It is copied only if a decorator has changed it.
pub fn keep<T: Described>(metadata: Cow<'_, ModelMetadata>) -> Cow<'static, ModelMetadata> {
    if *metadata == *T::METADATA {
        Cow::Borrowed(T::METADATA)
    } else {
        Cow::Owned(metadata.into_owned())
    }
}

/// Storage for the custom decorator of one attribute. A `static` cannot name the type of an
/// expression, so the type is erased.
#[derive(Debug, Default)]
pub struct DecoratorSlot {
    decorator: OnceLock<Box<dyn Any + Send + Sync>>,
    maker: Mutex<Option<ThreadId>>,
}

impl DecoratorSlot {
    /// Creates an empty slot.
    #[must_use]
    pub const fn new() -> Self {
        Self { decorator: OnceLock::new(), maker: Mutex::new(None) }
    }

    /// Returns the decorator. The first call creates it with `make`.
    ///
    /// # Panics
    ///
    /// Panics if `make` calls the model that the decorator is created for, which would be a deadlock.
    #[inline]
    pub fn get<D: Send + Sync + 'static>(&'static self, make: impl FnOnce() -> D) -> &'static D {
        let decorator = match self.decorator.get() {
            Some(decorator) => decorator,
            None => self.make(|| Box::new(make())),
        };
        decorator.downcast_ref().expect("one attribute has one expression, of one type")
    }

    #[cold]
    fn make(
        &self,
        make: impl FnOnce() -> Box<dyn Any + Send + Sync>,
    ) -> &Box<dyn Any + Send + Sync> {
        let maker = || self.maker.lock().unwrap_or_else(PoisonError::into_inner);
        let this_thread = thread::current().id();
        assert_ne!(
            *maker(),
            Some(this_thread),
            "the expression in `#[decorate(...)]` calls the model that it decorates"
        );
        self.decorator.get_or_init(|| {
            *maker() = Some(this_thread);
            let decorator = make();
            *maker() = None;
            decorator
        })
    }
}

/// Storage for the custom decorators of one attribute of a generic model, one for each type.
#[derive(Debug, Default)]
pub struct DecoratorSlots(AppendList<(TypeId, DecoratorSlot)>);

impl DecoratorSlots {
    /// Creates a list without slots.
    #[must_use]
    pub const fn new() -> Self {
        Self(AppendList::new())
    }

    /// Returns the decorator for models of type `T`. The first call for the type creates it with `make`.
    ///
    /// # Panics
    ///
    /// Panics in the same case as [`DecoratorSlot::get`].
    pub fn get<T: ?Sized, D: Send + Sync + 'static>(
        &'static self,
        _model: &T,
        make: impl FnOnce() -> D,
    ) -> &'static D {
        // Models may borrow, which `TypeId::of` does not allow.
        let id = typeid::of::<T>();
        let (_, slot) =
            self.0.find_or_add(|(known, _)| *known == id, || (id, DecoratorSlot::new()));
        slot.get(make)
    }
}
