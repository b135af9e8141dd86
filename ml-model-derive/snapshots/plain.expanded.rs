#[doc(hidden)]
const _: () = {
    use ::ml_model_core::__private as __core;
    const __CHECKED: __core::bool = __core::check::<SumModel>();
    type __Model = __core::Checked<SumModel, __CHECKED>;
    fn __stack(model: &__Model) -> impl __core::ModelOf<__Model> + '_ {
        __core::bare::<__core::Input<__Model>, _>(model)
    }
    #[automatically_derived]
    impl __core::MLModel for SumModel
    where
        __Model: __core::Shared,
    {
        type Input = __core::Input<__Model>;
        type Output = __core::Output<__Model>;
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
    impl __core::Described for SumModel {
        type Model = __Model;
        fn into_model(self) -> Self::Model {
            self
        }
        const METADATA: &'static __core::ModelMetadata = &__core::metadata(
            "Sum Model",
            "sum_model",
            "Adds up.",
            "0.1.0",
        );
        const EXECUTION: __core::Execution = __core::Execution::Blocking;
    }
};
