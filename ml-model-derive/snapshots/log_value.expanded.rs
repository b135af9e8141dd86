#[doc(hidden)]
const _: () = {
    use ::ml_model_core::__private as __core;
    #[automatically_derived]
    impl __core::LogValue for Region {
        type Value<'__a> = &'static __core::str where Self: '__a;
        #[inline]
        fn log_value(&self) -> &'static __core::str {
            match self {
                Self::NorthEast => "north_east",
                Self::SouthWest => "SW",
            }
        }
    }
};
