//! The text format of Prometheus, version 0.0.4.

use std::fmt::{self, Display, Write};
use std::time::Duration;

use ml_model_core::metrics::HistogramSnapshot;

/// The content type of the format.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Labels of one sample: constant names and arbitrary values.
pub(super) type Labels<'a> = [(&'static str, &'a str)];

/// Writer of metric families.
#[derive(Default)]
pub(super) struct Text(String);

impl Text {
    pub(super) fn into_string(self) -> String {
        self.0
    }

    /// Begins a family and returns the writer of its samples.
    pub(super) fn family<'a>(&'a mut self, name: &'a str, kind: Kind, help: &str) -> Family<'a> {
        self.write(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
        Family { text: self, name }
    }

    /// Writes a family of one number.
    pub(super) fn number(&mut self, name: &str, kind: Kind, help: &str, value: impl Display) {
        self.family(name, kind, help).sample(&[], value);
    }

    fn write(&mut self, text: fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _always_ok = self.0.write_fmt(text);
    }
}

#[derive(Clone, Copy)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
    Summary,
}

impl Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
        })
    }
}

/// A family whose head is written.
pub(super) struct Family<'a> {
    text: &'a mut Text,
    name: &'a str,
}

impl Family<'_> {
    pub(super) fn sample(&mut self, labels: &Labels<'_>, value: impl Display) {
        self.line("", labels, None, value);
    }

    /// Writes the number and the sum of observations.
    pub(super) fn summary(&mut self, labels: &Labels<'_>, count: u64, sum: impl Display) {
        self.line("_count", labels, None, count);
        self.line("_sum", labels, None, sum);
    }

    pub(super) fn histogram(&mut self, labels: &Labels<'_>, histogram: &HistogramSnapshot) {
        let bounds = histogram.bounds.iter().map(|bound| Some(*bound)).chain([None]);
        for (bound, count) in bounds.zip(histogram.cumulative()) {
            self.line("_bucket", labels, Some(Bound(bound)), count);
        }
        self.summary(labels, histogram.count(), histogram.sum.as_secs_f64());
    }

    fn line(
        &mut self,
        suffix: &str,
        labels: &Labels<'_>,
        bound: Option<Bound>,
        value: impl Display,
    ) {
        self.text.write(format_args!("{}{suffix}", self.name));
        let mut separator = '{';
        for (name, value) in labels {
            self.text.write(format_args!("{separator}{name}=\"{}\"", Escaped(value)));
            separator = ',';
        }
        if let Some(bound) = bound {
            self.text.write(format_args!("{separator}le=\"{bound}\""));
            separator = ',';
        }
        let end = if separator == ',' { "}" } else { "" };
        self.text.write(format_args!("{end} {value}\n"));
    }
}

/// A label value, escaped.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '\\' => f.write_str("\\\\"),
            '"' => f.write_str("\\\""),
            '\n' => f.write_str("\\n"),
            c => f.write_char(c),
        })
    }
}

/// Upper bound of a bucket in seconds, in the form of Python: `0.5`, `1.0`, `2.5e-06`. Queries compare
/// bounds as text.
struct Bound(Option<Duration>);

impl Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(bound) = self.0 else { return f.write_str("+Inf") };
        let seconds = format!("{:?}", bound.as_secs_f64());
        match seconds.split_once("e-") {
            Some((digits, exponent)) => write!(f, "{digits}e-{exponent:0>2}"),
            None => f.write_str(&seconds),
        }
    }
}

/// Returns whether a name is valid for a metric family.
pub(super) fn is_metric_name(name: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
    !name.is_empty() && name.chars().all(is_word) && !name.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_histogram_is_written_as_prometheus_reads_it() {
        const BOUNDS: &[Duration] =
            &[Duration::from_nanos(2_500), Duration::from_millis(100), Duration::from_secs(1)];
        let histogram = ml_model_core::metrics::Histogram::new(BOUNDS);
        histogram.observe(Duration::from_millis(100));
        histogram.observe(Duration::from_millis(1_400));
        let mut text = Text::default();
        text.family("d", Kind::Histogram, "Durations.")
            .histogram(&[("m", "a")], &histogram.snapshot());
        assert_eq!(
            text.into_string(),
            "# HELP d Durations.\n# TYPE d histogram\n\
             d_bucket{m=\"a\",le=\"2.5e-06\"} 0\n\
             d_bucket{m=\"a\",le=\"0.1\"} 1\n\
             d_bucket{m=\"a\",le=\"1.0\"} 1\n\
             d_bucket{m=\"a\",le=\"+Inf\"} 2\n\
             d_count{m=\"a\"} 2\nd_sum{m=\"a\"} 1.5\n"
        );
    }

    /// Parses `m{a="...",b="..."} 1` as the specification of the format requires.
    fn values_of(line: &str) -> Vec<String> {
        let mut rest = line.strip_prefix("m{").expect("it has labels");
        let mut values = Vec::new();
        loop {
            let (_name, quoted) = rest.split_once("=\"").expect("a label has a value");
            let mut value = String::new();
            let mut chars = quoted.chars();
            loop {
                match chars.next().expect("a value ends") {
                    '"' => break,
                    '\\' => match chars.next() {
                        Some('n') => value.push('\n'),
                        Some(c @ ('\\' | '"')) => value.push(c),
                        other => panic!("{other:?} is no escape"),
                    },
                    '\n' => panic!("a line ends inside of a value"),
                    c => value.push(c),
                }
            }
            values.push(value);
            rest = chars.as_str();
            if rest == "} 1\n" {
                return values;
            }
            rest = rest.strip_prefix(',').expect("a comma or the end");
        }
    }

    proptest! {
        #[test]
        fn any_label_value_is_read_back(one in any::<String>(), other in "[\\\\\"\n,}a]{0,12}") {
            let mut text = Text::default();
            let mut family = Family { text: &mut text, name: "m" };
            family.sample(&[("a", &one), ("b", &other)], 1);
            prop_assert_eq!(values_of(&text.into_string()), [one, other]);
        }

        #[test]
        fn bounds_are_read_back(nanoseconds in 1_u64..100_000_000_000) {
            let bound = Duration::from_nanos(nanoseconds);
            let written = Bound(Some(bound)).to_string();
            prop_assert_eq!(written.parse::<f64>(), Ok(bound.as_secs_f64()));
        }
    }
}
