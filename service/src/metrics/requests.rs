//! Counts of HTTP requests by route, method and status, without a lock.
//!
//! The routes, the known methods and the statuses bound the number of series.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hyper::Method;
use ml_model_core::metrics::{Histogram, HistogramSnapshot};
use regex::RegexSet;

use super::settings::MetricsSettings;
use super::text::{Kind, Labels, Text};

/// Bounds of the histogram over all requests. Requests are counted by these bounds.
const HIGH_RESOLUTION: &[Duration] = &milliseconds([
    10, 25, 50, 75, 100, 250, 500, 750, 1_000, 1_500, 2_000, 2_500, 3_000, 3_500, 4_000, 4_500,
    5_000, 7_500, 10_000, 30_000, 60_000,
]);
/// Bounds of the histograms per route and method, a part of the bounds above.
const LOW_RESOLUTION: &[Duration] = &milliseconds([100, 500, 1_000]);

const fn milliseconds<const N: usize>(numbers: [u64; N]) -> [Duration; N] {
    let mut durations = [Duration::ZERO; N];
    let mut index = 0;
    while index < N {
        durations[index] = Duration::from_millis(numbers[index]);
        index += 1;
    }
    durations
}

/// Label values of methods. The last one stands for all other methods.
const METHODS: [&str; 10] =
    ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "_OTHER"];

/// Handler label of requests that match no route.
const NONE: &str = "none";

/// Status of a request whose client has gone before the answer. It is not part of HTTP; web servers use it
/// for this purpose.
const CLIENT_CLOSED_REQUEST: u16 = 499;

/// The counts of all requests.
pub(super) struct Requests {
    settings: MetricsSettings,
    excluded: RegexSet,
    handlers: Box<[Handler]>,
    /// Requests that match no route.
    none: Handler,
    in_progress: AtomicI64,
}

/// One route.
struct Handler {
    route: &'static str,
    is_excluded: bool,
    request_bytes: AtomicU64,
    response_bytes: AtomicU64,
    methods: [OnceLock<Box<Series>>; METHODS.len()],
}

/// One route and method.
struct Series {
    durations: Histogram,
    /// Counts by class or by code of the status.
    statuses: Box<[AtomicU64]>,
    in_progress: AtomicI64,
}

impl Handler {
    /// Returns the series of the methods of requests so far.
    fn series(&self) -> impl Iterator<Item = (&'static str, &Series)> {
        let seen = METHODS.into_iter().zip(&self.methods);
        seen.filter_map(|(method, series)| Some((method, &**series.get()?)))
    }
}

impl Requests {
    /// Creates the counts of requests to these routes.
    pub(super) fn new(
        settings: MetricsSettings,
        excluded: RegexSet,
        routes: &[&'static str],
    ) -> Self {
        let handler = |route: &'static str, is_excluded| Handler {
            route,
            is_excluded,
            request_bytes: AtomicU64::new(0),
            response_bytes: AtomicU64::new(0),
            methods: Default::default(),
        };
        Self {
            handlers: routes.iter().map(|route| handler(route, excluded.is_match(route))).collect(),
            none: handler(NONE, settings.should_ignore_untemplated),
            in_progress: AtomicI64::new(0),
            settings,
            excluded,
        }
    }

    /// Begins to count a request, unless the settings exclude it. `route` is the index of its route.
    pub(super) fn begin(
        &self,
        method: &Method,
        route: Option<usize>,
        path: &str,
        request_bytes: u64,
    ) -> Option<InProgress<'_>> {
        let started = Instant::now();
        let handler = match route {
            Some(route) => &self.handlers[route],
            None if self.excluded.is_match(path) => return None,
            None => &self.none,
        };
        if handler.is_excluded {
            return None;
        }
        let series = handler.methods[index_of(method)].get_or_init(|| {
            let statuses = if self.settings.should_group_status_codes { 9 } else { 900 };
            Box::new(Series {
                durations: Histogram::new(HIGH_RESOLUTION),
                statuses: (0..statuses).map(|_| AtomicU64::new(0)).collect(),
                in_progress: AtomicI64::new(0),
            })
        });
        let in_progress =
            InProgress { requests: self, handler, series, started, request_bytes, answer: None };
        in_progress.add(1);
        Some(in_progress)
    }

    /// Returns the handlers of requests so far.
    fn requested(&self) -> impl Iterator<Item = &Handler> {
        let handlers = self.handlers.iter().chain([&self.none]);
        handlers.filter(|handler| handler.series().next().is_some())
    }

    /// Writes the metric families of requests.
    pub(super) fn write(&self, text: &mut Text) {
        let mut family = text.family(
            "http_requests_total",
            Kind::Counter,
            "Total number of requests by method, status and handler.",
        );
        for handler in self.requested() {
            for (method, series) in handler.series() {
                for (index, count) in series.statuses.iter().enumerate() {
                    let count = count.load(Ordering::Relaxed);
                    if count > 0 {
                        let status = self.status_label(index);
                        family.sample(
                            &[("handler", handler.route), ("method", method), ("status", &status)],
                            count,
                        );
                    }
                }
            }
        }
        self.write_sizes(text);
        text.family(
            "http_request_duration_highr_seconds",
            Kind::Histogram,
            "Durations of all requests, in many buckets.",
        )
        .histogram(&[], &in_buckets(HIGH_RESOLUTION, self.durations()));
        let mut family = text.family(
            "http_request_duration_seconds",
            Kind::Histogram,
            "Durations by handler and method, in few buckets.",
        );
        for handler in self.requested() {
            for (method, series) in handler.series() {
                let labels: &Labels<'_> = &[("handler", handler.route), ("method", method)];
                let durations = [series.durations.snapshot()];
                family.histogram(labels, &in_buckets(LOW_RESOLUTION, durations));
            }
        }
        if self.settings.should_instrument_requests_inprogress {
            self.write_in_progress(text);
        }
    }

    fn write_sizes(&self, text: &mut Text) {
        type Bytes = fn(&Handler) -> &AtomicU64;
        let sizes: [(&str, &str, Bytes); 2] = [
            (
                "http_request_size_bytes",
                "Content length of incoming requests by handler; 0 where the request does not say.",
                |handler| &handler.request_bytes,
            ),
            (
                "http_response_size_bytes",
                "Content length of outgoing responses by handler.",
                |handler| &handler.response_bytes,
            ),
        ];
        for (name, help, bytes) in sizes {
            let mut family = text.family(name, Kind::Summary, help);
            for handler in self.requested() {
                let sum = bytes(handler).load(Ordering::Relaxed);
                let requests =
                    handler.series().map(|(_, series)| series.durations.snapshot().count()).sum();
                family.summary(&[("handler", handler.route)], requests, sum);
            }
        }
    }

    fn write_in_progress(&self, text: &mut Text) {
        let name = &self.settings.inprogress_name;
        let mut family = text.family(name, Kind::Gauge, "Number of HTTP requests in progress.");
        if !self.settings.inprogress_labels {
            return family.sample(&[], self.in_progress.load(Ordering::Relaxed));
        }
        for handler in self.requested() {
            for (method, series) in handler.series() {
                family.sample(
                    &[("handler", handler.route), ("method", method)],
                    series.in_progress.load(Ordering::Relaxed),
                );
            }
        }
    }

    fn durations(&self) -> impl Iterator<Item = HistogramSnapshot> {
        let all = self.requested().flat_map(Handler::series);
        all.map(|(_, series)| series.durations.snapshot())
    }

    fn status_label(&self, index: usize) -> String {
        if self.settings.should_group_status_codes {
            format!("{}xx", index + 1)
        } else {
            (index + 100).to_string()
        }
    }

    /// Returns the index of the count of a status from 100 to 999.
    fn status_index(&self, status: u16) -> usize {
        let from_100 = usize::from(status.saturating_sub(100)).min(899);
        if self.settings.should_group_status_codes { from_100 / 100 } else { from_100 }
    }

    fn rounded(&self, duration: Duration) -> Duration {
        let settings = &self.settings;
        if !settings.should_round_latency_decimals || settings.round_latency_decimals > 8 {
            return duration;
        }
        let unit = 10_u128.pow(9 - settings.round_latency_decimals);
        let rounded = (duration.as_nanos() + unit / 2) / unit * unit;
        Duration::from_nanos(rounded.try_into().unwrap_or(u64::MAX))
    }
}

/// Adds histograms up by other bounds, each of which is a bound of the histograms too.
fn in_buckets(
    bounds: &'static [Duration],
    histograms: impl IntoIterator<Item = HistogramSnapshot>,
) -> HistogramSnapshot {
    let mut all = Histogram::new(bounds).snapshot();
    for histogram in histograms {
        all.sum += histogram.sum;
        let upper = histogram.bounds.iter().chain([&Duration::MAX]);
        for (upper, count) in upper.zip(histogram.buckets) {
            all.buckets[bounds.partition_point(|bound| bound < upper)] += count;
        }
    }
    all
}

fn index_of(method: &Method) -> usize {
    let other = METHODS.len() - 1;
    METHODS[..other].iter().position(|known| *known == method.as_str()).unwrap_or(other)
}

/// A request that is being answered. Dropping it counts the request, also after a panic or when the client
/// has gone.
pub(crate) struct InProgress<'a> {
    requests: &'a Requests,
    handler: &'a Handler,
    series: &'a Series,
    started: Instant,
    request_bytes: u64,
    /// Status and size of the answer.
    answer: Option<(u16, u64)>,
}

impl InProgress<'_> {
    pub(crate) fn answered(mut self, status: u16, bytes: u64) {
        self.answer = Some((status, bytes));
    }

    fn add(&self, number: i64) {
        let settings = &self.requests.settings;
        if settings.should_instrument_requests_inprogress {
            let gauge = if settings.inprogress_labels {
                &self.series.in_progress
            } else {
                &self.requests.in_progress
            };
            gauge.fetch_add(number, Ordering::Relaxed);
        }
    }
}

impl Drop for InProgress<'_> {
    fn drop(&mut self) {
        let unanswered = if std::thread::panicking() { 500 } else { CLIENT_CLOSED_REQUEST };
        let (status, response_bytes) = self.answer.unwrap_or((unanswered, 0));
        let duration = self.requests.rounded(self.started.elapsed());
        let status = &self.series.statuses[self.requests.status_index(status)];
        status.fetch_add(1, Ordering::Relaxed);
        self.handler.request_bytes.fetch_add(self.request_bytes, Ordering::Relaxed);
        self.handler.response_bytes.fetch_add(response_bytes, Ordering::Relaxed);
        self.series.durations.observe(duration);
        self.add(-1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_by_many_bounds_can_be_told_by_few() {
        assert!(LOW_RESOLUTION.iter().all(|bound| HIGH_RESOLUTION.contains(bound)));
        let durations = [10, 100, 101, 500, 999, 1_000, 1_001, 90_000].map(Duration::from_millis);
        let (many, few) = (Histogram::new(HIGH_RESOLUTION), Histogram::new(LOW_RESOLUTION));
        for duration in durations {
            many.observe(duration);
            few.observe(duration);
        }
        assert_eq!(in_buckets(LOW_RESOLUTION, [many.snapshot()]), few.snapshot());
        let twice = in_buckets(HIGH_RESOLUTION, [many.snapshot(), many.snapshot()]);
        assert_eq!((twice.count(), twice.sum), (16, 2 * many.snapshot().sum));
    }

    #[test]
    fn durations_are_rounded_to_decimals_of_a_second() {
        let rounded = |nanoseconds, round_latency_decimals| {
            let settings = MetricsSettings {
                should_round_latency_decimals: true,
                round_latency_decimals,
                ..MetricsSettings::default()
            };
            let requests = Requests::new(settings, RegexSet::empty(), &[]);
            requests.rounded(Duration::from_nanos(nanoseconds)).as_nanos()
        };
        assert_eq!(rounded(1_234_567_890, 4), 1_234_600_000);
        assert_eq!(rounded(1_500_000_000, 0), 2_000_000_000);
        assert_eq!(rounded(1_234_567_891, 8), 1_234_567_890);
        assert_eq!(rounded(1_234_567_891, 9), 1_234_567_891);
        assert_eq!(rounded(1_234_567_891, 4_000_000_000), 1_234_567_891);
    }
}
