#[doc(hidden)]
const _: () = {
    use ::ml_model_core::__private as __core;
    const __CHECKED: __core::bool = __core::check::<InsuranceChargesModel>();
    type __Model = __core::Checked<InsuranceChargesModel, __CHECKED>;
    use __core::{Path as _, WithoutFields as _};
    static __SITES: __core::LogSites = __core::LogSites::new(
        "insurance_charges_model_logger",
        __core::Level::INFO,
        &["age", "bmi"],
        &["charges"],
    );
    struct __Log;
    #[automatically_derived]
    impl<__AnyModel: __core::ModelOf<__Model>> __core::Recorder<__AnyModel> for __Log {
        fn sites(&self) -> &'static __core::LogSites {
            &__SITES
        }
        fn requested(&self, record: __core::Record<'_>, input: &__core::Input<__Model>) {
            let input = __core::at(input).root();
            record.write(&[&__core::field(&input.age), &__core::field(&input.bmi)]);
        }
        fn created(&self, record: __core::Record<'_>, output: &__core::Output<__Model>) {
            let output = __core::at(output).root();
            record.write(&[&__core::field(&output.charges)]);
        }
    }
    fn __stack(model: &__Model) -> impl __core::ModelOf<__Model> + '_ {
        __core::decorate(
            __core::PredictionIdDecorator,
            __core::decorate(
                __core::LoggingDecorator::new(__Log),
                __core::bare::<__core::Input<__Model>, _>(model),
            ),
        )
    }
    #[automatically_derived]
    impl __core::MLModel for InsuranceChargesModel
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
    impl __core::Described for InsuranceChargesModel {
        type Model = __Model;
        fn into_model(self) -> Self::Model {
            self
        }
        const METADATA: &'static __core::ModelMetadata = &__core::metadata(
            "Insurance Charges Model",
            "insurance_charges_model",
            "Model to predict the insurance charges of a customer.",
            "0.1.0",
        );
        const EXECUTION: __core::Execution = __core::Execution::Inline;
        fn logged_fields() -> __core::LoggedFields {
            __SITES.logged_fields()
        }
    }
};
