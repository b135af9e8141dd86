//! Numbers with all their digits.
//!
//! A float has about 16 digits: read as one, 9007199254740993 becomes 9007199254740992. Whether a number is
//! an integer, or equal to another one, is decided by its digits.

use std::cmp::Ordering;
use std::fmt;

/// A number as JSON writes it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Number<'n>(pub(crate) &'n str);

/// The value of a number, ±`digits`·10^`exponent`. The digits neither begin nor end with zero; zero has none.
#[derive(Debug, PartialEq, Eq)]
struct Decimal {
    is_negative: bool,
    digits: String,
    exponent: i64,
}

impl Number<'_> {
    /// Returns the nearest float.
    pub(crate) fn to_f64(self) -> f64 {
        self.0.parse().expect("Rust reads all numbers of JSON")
    }

    /// Returns whether the number is whole: 30, 30.0 and 3e1 are.
    pub(crate) fn is_integer(self) -> bool {
        self.is_written_as_integer() || self.decimal().exponent >= 0
    }

    /// Returns whether the number is written as digits only, which is how serde reads integers.
    pub(crate) fn is_written_as_integer(self) -> bool {
        self.0 != "-0" && self.0.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
    }

    /// Compares two numbers as the model compares them: whole numbers by their digits, others as floats.
    pub(crate) fn compare(self, other: Number<'_>) -> Ordering {
        if let (Some(one), Some(other)) = (self.small_integer(), other.small_integer()) {
            return one.cmp(&other);
        }
        // Rounding keeps the order, so that only equal floats need a closer look.
        let floats = self.to_f64().partial_cmp(&other.to_f64()).unwrap_or(Ordering::Equal);
        if floats.is_ne() {
            return floats;
        }
        let (one, other) = (self.decimal(), other.decimal());
        match one.exponent >= 0 && other.exponent >= 0 {
            true => one.cmp(&other),
            false => Ordering::Equal,
        }
    }

    /// Returns the value of most whole numbers: those with few digits, such as 30 and 30.0.
    fn small_integer(self) -> Option<i64> {
        self.0.strip_suffix(".0").unwrap_or(self.0).parse().ok()
    }

    /// Returns whether the number is a whole multiple of `step`.
    pub(crate) fn is_multiple_of(self, step: Number<'_>) -> bool {
        let (value, divisor) = (self.decimal(), step.decimal());
        let as_float = || (self.to_f64() / step.to_f64()).fract() == 0.0;
        let Ok(divisor_digits) = divisor.digits.parse::<u64>() else { return as_float() };
        if value.digits.is_empty() {
            return true;
        }
        let Ok(mut rest) = value.digits.parse::<u128>() else { return as_float() };
        // The last digit of the value is not zero, so that below the last place of the step it is not a multiple.
        let Ok(places) = u64::try_from(value.exponent - divisor.exponent) else { return false };
        let divisor = u128::from(divisor_digits);
        for _ in 0..places {
            rest = rest % divisor * 10;
        }
        rest % divisor == 0
    }

    /// Writes the number as digits only, if it is whole, written in another way and not longer than an
    /// integer of 128 bits.
    pub(super) fn written_as_integer(self) -> Option<String> {
        const LONGEST: usize = 39;
        if self.is_written_as_integer() {
            return None;
        }
        let Decimal { is_negative, digits, exponent } = self.decimal();
        let zeros =
            usize::try_from(exponent).ok().filter(|zeros| digits.len() + zeros <= LONGEST)?;
        Some(match digits.as_str() {
            "" => "0".to_owned(),
            digits => {
                format!("{}{digits}{}", if is_negative { "-" } else { "" }, "0".repeat(zeros))
            }
        })
    }

    /// Writes the number in such a way that equal numbers have the same text.
    pub(super) fn canonical(self) -> String {
        let Decimal { is_negative, digits, exponent } = self.decimal();
        format!("{}{digits}e{exponent}", if is_negative { "-" } else { "" })
    }

    fn decimal(self) -> Decimal {
        let (is_negative, text) = match self.0.strip_prefix('-') {
            Some(text) => (true, text),
            None => (false, self.0),
        };
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = [whole, fraction].concat();
        let significant = digits.trim_end_matches('0');
        let trimmed = digits.len() - significant.len();
        let significant = significant.trim_start_matches('0');
        if significant.is_empty() {
            return Decimal { is_negative: false, digits: String::new(), exponent: 0 };
        }
        // An exponent beyond 32 bits belongs to a float that is zero.
        let exponent = exponent.parse::<i32>().unwrap_or(i32::MIN);
        let exponent = i64::from(exponent) + trimmed as i64 - fraction.len() as i64;
        Decimal { is_negative, digits: significant.to_owned(), exponent }
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |decimal: &Self| match (decimal.digits.is_empty(), decimal.is_negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let magnitude = |decimal: &Self| decimal.digits.len() as i64 + decimal.exponent;
        let signs = sign(self).cmp(&sign(other));
        signs.then_with(|| {
            let magnitudes = magnitude(self).cmp(&magnitude(other));
            let order = magnitudes.then_with(|| self.digits.cmp(&other.digits));
            if self.is_negative { order.reverse() } else { order }
        })
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Writes the number as `serde_json` does.
impl fmt::Display for Number<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.parse::<serde_json::Number>() {
            Ok(number) => number.fmt(f),
            Err(_) => f.write_str(self.0),
        }
    }
}
