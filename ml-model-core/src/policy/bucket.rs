//! The lower bounds of the policy `bucketed`.

use std::num::NonZero;
use std::rc::Rc;
use std::sync::Arc;

use tracing::Value;

use crate::log_value::LogValue;
use crate::sensitive::Sensitive;

/// A number that the policy `bucketed` accepts, with buckets of the width `W`.
#[diagnostic::on_unimplemented(
    message = "a field of type `{Self}` cannot be put in these buckets",
    label = "this field is not a number, or it is an integer and the width is not",
    note = "`bucketed` takes integers and floats, and `Option` and `Sensitive` of these; buckets of \
            integers have a whole width",
    note = "for text, use `hashed` or `redacted`"
)]
pub trait Bucketed<W> {
    /// The type that `tracing` records.
    type Bucket: Value;

    /// Returns the lower bound of the bucket of the number.
    fn bucket(&self, width: W) -> Self::Bucket;
}

macro_rules! integers {
    ($bucket:ty: $($integer:ty)*) => {$(
        impl Bucketed<i64> for $integer {
            type Bucket = $bucket;

            fn bucket(&self, width: i64) -> $bucket {
                let number = <$bucket>::from(*self);
                // The lowest bucket of a signed type may begin below its range.
                <$bucket>::try_from(width)
                    .map_or(0, |width| number.saturating_sub(number.rem_euclid(width)))
            }
        }

        impl Bucketed<i64> for NonZero<$integer> {
            type Bucket = $bucket;

            fn bucket(&self, width: i64) -> $bucket {
                self.get().bucket(width)
            }
        }
    )*};
}

integers! { i64: i8 i16 i32 i64 }
integers! { u64: u8 u16 u32 u64 }
integers! { i128: i128 }
integers! { u128: u128 }

impl Bucketed<i64> for isize {
    type Bucket = i64;

    fn bucket(&self, width: i64) -> i64 {
        (*self as i64).bucket(width)
    }
}

impl Bucketed<i64> for usize {
    type Bucket = u64;

    fn bucket(&self, width: i64) -> u64 {
        (*self as u64).bucket(width)
    }
}

macro_rules! floats {
    ($($float:ty)*) => {$(
        impl Bucketed<i64> for $float {
            type Bucket = f64;

            fn bucket(&self, width: i64) -> f64 {
                lower_bound(self.log_value(), width as f64)
            }
        }

        impl Bucketed<f64> for $float {
            type Bucket = f64;

            fn bucket(&self, width: f64) -> f64 {
                lower_bound(self.log_value(), width)
            }
        }
    )*};
}

floats! { f32 f64 }

/// Returns the greatest multiple of `width` up to `number`.
///
/// Multiples of a width such as 0.1 are the nearest floats of their decimals: 0.3, not 0.30000000000000004.
fn lower_bound(number: f64, width: f64) -> f64 {
    let per_unit = (1.0 / width).round();
    let is_fraction = width < 1.0 && 1.0 / per_unit == width;
    let multiple = |count: f64| if is_fraction { count / per_unit } else { count * width };
    let count = (number / width).floor();
    // The division may have rounded in either direction.
    let near = [count + 1.0, count, count - 1.0];
    near.into_iter().map(multiple).find(|bound| *bound <= number).unwrap_or(number)
}

impl<W, T: Bucketed<W>> Bucketed<W> for Option<T> {
    type Bucket = Option<T::Bucket>;

    fn bucket(&self, width: W) -> Self::Bucket {
        self.as_ref().map(|number| number.bucket(width))
    }
}

impl<W, T: Bucketed<W>> Bucketed<W> for Sensitive<T> {
    type Bucket = T::Bucket;

    fn bucket(&self, width: W) -> T::Bucket {
        self.expose().bucket(width)
    }
}

macro_rules! pointers {
    ($($pointer:ty),*) => {$(
        impl<W, T: Bucketed<W> + ?Sized> Bucketed<W> for $pointer {
            type Bucket = T::Bucket;

            fn bucket(&self, width: W) -> T::Bucket {
                (**self).bucket(width)
            }
        }
    )*};
}

pointers! { &T, Box<T>, Rc<T>, Arc<T> }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_of_integers_begin_at_multiples() {
        assert_eq!(37_u8.bucket(10), 30);
        assert_eq!(40_u8.bucket(10), 40);
        assert_eq!((-1_i8).bucket(10), -10);
        assert_eq!((-128_i8).bucket(100), -200);
        assert_eq!(i64::MIN.bucket(1000), i64::MIN);
        assert_eq!(u64::MAX.bucket(10), 18_446_744_073_709_551_610);
        assert_eq!(u128::MAX.bucket(10), u128::MAX - 5);
        assert_eq!(Some(Sensitive::new(37_u8)).bucket(10), Some(30));
        assert_eq!(None::<u8>.bucket(10), None);
    }

    #[test]
    fn buckets_of_floats_have_short_bounds() {
        for (number, width, bound) in [
            (21.5, 5.0, 20.0),
            (-0.5, 1.0, -1.0),
            (0.35, 0.1, 0.3),
            (0.3, 0.1, 0.3),
            (0.29, 0.01, 0.29),
            (0.7, 0.05, 0.7),
            (7.4, 2.5, 5.0),
            (-0.3, 0.1, -0.3),
            (1e300, 10.0, 1e300),
        ] {
            assert_eq!(number.bucket(width), bound, "{number} in buckets of {width}");
        }
        assert_eq!(0.1_f32.bucket(0.1), 0.1);
        assert!(f64::NAN.bucket(1.0).is_nan());
        assert_eq!(f64::INFINITY.bucket(1.0), f64::INFINITY);
    }
}
