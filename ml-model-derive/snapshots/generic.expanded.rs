#[doc(hidden)]
#[allow(clippy::multiple_bound_locations)]
const _: () = {
    use ::renamed::__private as __core;
    use __core::{Path as _, WithoutFields as _};
    static __SITES: __core::LogSites = __core::LogSites::new(
        "generic_logger",
        __core::Level::INFO,
        &["age"],
        &[],
    );
    struct __Log<'a, T: Clone + __core::Send + __core::Sync, const N: usize>(
        __core::PhantomData<fn() -> Generic<'a, T, N>>,
    )
    where
        T: Send + Sync;
    #[automatically_derived]
    impl<
        'a,
        T: Clone + __core::Send + __core::Sync,
        const N: usize,
        __AnyModel: __core::ModelOf<Generic<'a, T, N>>,
    > __core::Recorder<__AnyModel> for __Log<'a, T, N>
    where
        T: Send + Sync,
    {
        fn sites(&self) -> &'static __core::LogSites {
            &__SITES
        }
        fn requested(
            &self,
            record: __core::Record<'_>,
            input: &__core::Input<Generic<'a, T, N>>,
        ) {
            let input = __core::at(input).root();
            record.write(&[&__core::field(&input.age)]);
        }
        fn created(
            &self,
            record: __core::Record<'_>,
            output: &__core::Output<Generic<'a, T, N>>,
        ) {
            record.write(&[]);
        }
    }
    fn __decorator_0<
        'a,
        T: Clone + __core::Send + __core::Sync,
        const N: usize,
        __AnyModel: __core::ModelOf<Generic<'a, T, N>>,
    >(
        model: &Generic<'a, T, N>,
    ) -> impl __core::Decorator<__AnyModel> + use<'a, T, N, __AnyModel>
    where
        T: Send + Sync,
    {
        static SLOTS: __core::DecoratorSlots = __core::DecoratorSlots::new();
        SLOTS.get(model, || crate::Timing)
    }
    fn __stack<'__m, 'a, T: Clone + __core::Send + __core::Sync, const N: usize>(
        model: &'__m Generic<'a, T, N>,
    ) -> impl __core::ModelOf<Generic<'a, T, N>> + use<'__m, 'a, T, N>
    where
        T: Send + Sync,
        Generic<'a, T, N>: __core::Infer + __core::Send + __core::Sync,
    {
        __core::decorate(
            __decorator_0(model),
            __core::decorate(
                {
                    static METRICS: __core::DecoratorSlots = __core::DecoratorSlots::new();
                    METRICS.get(model, __core::MetricsDecorator::new)
                },
                __core::decorate(
                    __core::LoggingDecorator::new(
                        __Log::<'a, T, N>(__core::PhantomData),
                    ),
                    __core::bare::<__core::Input<Generic<'a, T, N>>, _>(model),
                ),
            ),
        )
    }
    #[automatically_derived]
    impl<'a, T: Clone + __core::Send + __core::Sync, const N: usize> __core::MLModel
    for Generic<'a, T, N>
    where
        T: Send + Sync,
        Generic<'a, T, N>: __core::Infer + __core::Send + __core::Sync,
    {
        type Input = __core::Input<Generic<'a, T, N>>;
        type Output = __core::Output<Generic<'a, T, N>>;
        fn metadata(&self) -> __core::Cow<'_, __core::ModelMetadata> {
            __core::keep::<Self>(__core::MLModel::metadata(&__stack(self)))
        }
        fn input_schema(&self) -> __core::Schema {
            __core::MLModel::input_schema(&__stack(self))
        }
        fn output_schema(&self) -> __core::Schema {
            __core::MLModel::output_schema(&__stack(self))
        }
        #[inline]
        fn call(
            &self,
            request: __core::Request<Self::Input>,
        ) -> __core::Answer<Self::Output> {
            __core::MLModel::call(&__stack(self), request)
        }
        fn call_batch(
            &self,
            requests: __core::Vec<__core::Request<Self::Input>>,
        ) -> __core::Vec<__core::Answer<Self::Output>> {
            __core::MLModel::call_batch(&__stack(self), requests)
        }
        fn takes_batches(&self) -> __core::bool {
            __core::MLModel::takes_batches(&__stack(self))
        }
        fn stack(&self) -> __core::StackInfo {
            __core::MLModel::stack(&__stack(self))
        }
    }
    #[automatically_derived]
    impl<'a, T: Clone + __core::Send + __core::Sync, const N: usize> __core::Described
    for Generic<'a, T, N>
    where
        T: Send + Sync,
        Generic<'a, T, N>: __core::Infer + __core::Send + __core::Sync,
    {
        type Model = Generic<'a, T, N>;
        fn into_model(self) -> Self::Model {
            self
        }
        const METADATA: &'static __core::ModelMetadata = &__core::metadata(
            "Generic",
            "generic",
            "",
            "0.1.0",
        );
        const EXECUTION: __core::Execution = __core::Execution::Blocking;
        fn logged_fields() -> __core::LoggedFields {
            __SITES.logged_fields()
        }
    }
};
