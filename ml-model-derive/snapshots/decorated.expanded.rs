#[doc(hidden)]
const _: () = {
    use ::ml_model_core::__private as __core;
    const __CHECKED: __core::bool = __core::check::<SumModel>();
    type __Model = __core::Checked<SumModel, __CHECKED>;
    use __core::{Path as _, WithoutFields as _};
    static __SITES: __core::LogSites = __core::LogSites::sampled(
        "audit",
        __core::Level::DEBUG,
        &["age", "sex", "address.zip", "bmi as body_mass_index", "type", "point.0.1"],
        &[
            "sum",
            "hashed(customer.id)",
            "redacted(ssn) as number",
            "bucketed(income, 1000)",
            "bucketed(share, 0.1)",
        ],
        __core::Sampling::new().sample(0.1).slow(__core::Duration::new(0, 50000000)),
    );
    struct __Log;
    #[automatically_derived]
    impl<__AnyModel: __core::ModelOf<__Model>> __core::Recorder<__AnyModel> for __Log {
        fn sites(&self) -> &'static __core::LogSites {
            &__SITES
        }
        fn requested(&self, record: __core::Record<'_>, input: &__core::Input<__Model>) {
            let input = __core::at(input).root();
            record
                .write(
                    &[
                        &__core::field(&input.age),
                        &__core::field(&input.sex),
                        &__core::at(&input.address)
                            .read(|value| __core::field(&value.zip)),
                        &__core::field(&input.bmi),
                        &__core::field(&input.r#type),
                        &__core::at(&input.point)
                            .get(|value| &value.0)
                            .read(|value| __core::field(&value.1)),
                    ],
                );
        }
        fn created(&self, record: __core::Record<'_>, output: &__core::Output<__Model>) {
            let output = __core::at(output).root();
            record
                .write(
                    &[
                        &__core::field(&output.sum),
                        &__core::at(&output.customer)
                            .read(|value| __core::hashed(&value.id)),
                        &__core::redacted(&output.ssn),
                        &__core::bucketed_whole(&output.income, 1000),
                        &__core::bucketed_decimal(&output.share, 0.1),
                    ],
                );
        }
    }
    fn __decorator_0<__AnyModel: __core::ModelOf<__Model>>() -> impl __core::Decorator<
        __AnyModel,
    > {
        static SLOT: __core::DecoratorSlot = __core::DecoratorSlot::new();
        SLOT.get(|| crate::Timing)
    }
    fn __decorator_3<__AnyModel: __core::ModelOf<__Model>>() -> impl __core::Decorator<
        __AnyModel,
    > {
        static SLOT: __core::DecoratorSlot = __core::DecoratorSlot::new();
        SLOT.get(|| Cache::with_ttl(60))
    }
    fn __stack(model: &__Model) -> impl __core::ModelOf<__Model> + '_ {
        __core::decorate(
            __decorator_0(),
            __core::decorate(
                {
                    static METRICS: __core::MetricsDecorator = __core::MetricsDecorator::new();
                    &METRICS
                },
                __core::decorate(
                    __core::PredictionIdDecorator,
                    __core::decorate(
                        __decorator_3(),
                        __core::decorate(
                            __core::LoggingDecorator::new(__Log),
                            __core::bare::<__core::Input<__Model>, _>(model),
                        ),
                    ),
                ),
            ),
        )
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
            "Sum",
            "sum",
            "Adds up.",
            "2",
        );
        const EXECUTION: __core::Execution = __core::Execution::Blocking;
        fn logged_fields() -> __core::LoggedFields {
            __SITES.logged_fields()
        }
    }
};
