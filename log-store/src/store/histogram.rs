//! Histograms of numbers and counts of texts, which can be added up.
//!
//! The bucket of a number is its sign, its exponent and the first five bits of its mantissa. A bucket is
//! thus at most 1/32 wider than its lower bound, and integers up to 64 have one each.

/// Bits of a number that its bucket ignores.
const IGNORED_BITS: u32 = 47;

/// Counts of numbers, texts and nulls.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Histogram {
    /// Buckets and their counts, in order.
    pub(crate) numbers: Vec<(i32, u64)>,
    /// Numbers of texts and their counts, in order.
    pub(crate) texts: Vec<(i32, u64)>,
    pub(crate) nulls: u64,
}

/// Returns the bucket of a number.
fn bucket(number: f64) -> i32 {
    // Zero has no sign.
    let bits = (if number == 0.0 { 0.0 } else { number }).to_bits() >> IGNORED_BITS;
    let magnitude = (bits & 0xffff) as i32;
    if bits > 0xffff { -magnitude - 1 } else { magnitude }
}

/// Returns the bounds of a bucket, the smaller one first.
pub(crate) fn bounds(bucket: i32) -> (f64, f64) {
    let bound = |magnitude: i32| f64::from_bits((magnitude as u64) << IGNORED_BITS);
    if bucket >= 0 {
        (bound(bucket), bound(bucket + 1))
    } else {
        let magnitude = -bucket - 1;
        (-bound(magnitude + 1), -bound(magnitude))
    }
}

fn add(counts: &mut Vec<(i32, u64)>, key: i32, count: u64) {
    match counts.binary_search_by_key(&key, |(key, _)| *key) {
        Ok(index) => counts[index].1 += count,
        Err(index) => counts.insert(index, (key, count)),
    }
}

impl Histogram {
    pub(crate) fn add_number(&mut self, number: f64) {
        add(&mut self.numbers, bucket(number), 1);
    }

    pub(crate) fn add_text(&mut self, text: i32) {
        add(&mut self.texts, text, 1);
    }

    /// Adds the counts of another histogram.
    pub(crate) fn add_all(&mut self, other: &Self) {
        other.numbers.iter().for_each(|(key, count)| add(&mut self.numbers, *key, *count));
        other.texts.iter().for_each(|(key, count)| add(&mut self.texts, *key, *count));
        self.nulls += other.nulls;
    }

    /// Encodes the histogram: integers of seven bits per byte, keys as differences.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 + 3 * (self.numbers.len() + self.texts.len()));
        write(&mut bytes, self.nulls);
        for counts in [&self.numbers, &self.texts] {
            write(&mut bytes, counts.len() as u64);
            let mut before = 0;
            for (key, count) in counts {
                // The first key may be negative; the others are larger than the one before.
                let difference = i64::from(*key) - before;
                write(&mut bytes, ((difference << 1) ^ (difference >> 63)) as u64);
                write(&mut bytes, *count);
                before = i64::from(*key);
            }
        }
        bytes
    }

    /// Decodes what [`encode`](Self::encode) wrote; `None` if the bytes are damaged.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut bytes = bytes.iter();
        let nulls = read(&mut bytes)?;
        let mut counts = [const { Vec::new() }; 2];
        for counts in &mut counts {
            let mut key = 0;
            for _ in 0..read(&mut bytes)? {
                let difference = read(&mut bytes)?;
                key += ((difference >> 1) as i64) ^ -((difference & 1) as i64);
                counts.push((i32::try_from(key).ok()?, read(&mut bytes)?));
            }
        }
        let [numbers, texts] = counts;
        Some(Self { numbers, texts, nulls })
    }
}

fn write(bytes: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn read(bytes: &mut std::slice::Iter<'_, u8>) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = bytes.next()?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_lies_within_its_narrow_bucket() {
        for number in
            [0.0, -0.0, 1.0, 3.0, 63.0, 0.005, 49289.02, 1e300, 5e-324, -1.0, -17.25, -1e9]
        {
            let (low, high) = bounds(bucket(number));
            assert!(low <= number && number <= high, "{number} in {low}..{high}");
            assert!((high - low) <= number.abs() / 32.0 + 1e-307, "{number} in {low}..{high}");
        }
    }

    #[test]
    fn buckets_are_in_the_order_of_numbers() {
        let numbers = [-1e9, -17.0, -0.001, 0.0, 0.001, 1.0, 2.0, 1e9];
        assert!(numbers.windows(2).all(|pair| bucket(pair[0]) < bucket(pair[1])));
    }

    #[test]
    fn an_encoded_histogram_is_decoded_unchanged() {
        let mut histogram = Histogram { nulls: 300, ..Histogram::default() };
        [-5.5, 0.0, 17.0, 17.0, 1e12].into_iter().for_each(|number| histogram.add_number(number));
        [3, 1, 3, 200].into_iter().for_each(|text| histogram.add_text(text));
        assert_eq!(Histogram::decode(&histogram.encode()).as_ref(), Some(&histogram));
        let encoded = histogram.encode();
        assert!((0..encoded.len()).all(|end| Histogram::decode(&encoded[..end]).is_none()));
    }
}
