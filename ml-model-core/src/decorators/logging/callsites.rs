//! The `tracing` call sites of one logging attribute.
//!
//! The event macros of `tracing` create one static per event and expand to a page of code each. Here
//! an attribute has one static, [`LogSites`], and ordinary functions make the same checks in the same
//! order as the macros. The call sites are completed at their first use, so that decorators made from
//! a configuration have proper field names, too.

use std::fmt;
use std::panic::Location;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

use tracing::level_filters::{LevelFilter, STATIC_MAX_LEVEL};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Value, dispatcher};
use tracing_core::callsite::{self, Callsite, Identifier};
use tracing_core::field::FieldSet;
use tracing_core::metadata::Kind;

use super::absent_subscriber;
use super::sampling::Sampling;
use crate::logged_field::{LoggedField, LoggedFields, key_of, keys};
use crate::policy::digest::report_missing_key;
use crate::prediction_id::PredictionId;
use crate::request::Context;

/// The `tracing` call sites of one logging attribute. It is a static in the user's crate, so it holds only what
/// differs between attributes. The call sites are created at their first use.
#[derive(Debug)]
pub struct LogSites {
    origin: Origin,
    /// Logged fields of input and output, in their text form.
    fields: [Names; 2],
    pub(super) sampling: Sampling,
    /// Sites of predictions without and with an id, then those of predictions in a batch.
    sets: [OnceLock<Box<SiteSet>>; 4],
}

impl LogSites {
    /// Creates the call sites of records to `target`. Requests and predictions have the level `level`,
    /// failures ERROR. A field is a path or `path as key`.
    ///
    /// File and line of the records are those of the caller.
    #[must_use]
    #[track_caller]
    pub const fn new(
        target: &'static str,
        level: Level,
        input_fields: &'static [&'static str],
        output_fields: &'static [&'static str],
    ) -> Self {
        Self::sampled(target, level, input_fields, output_fields, Sampling::new())
    }

    /// Creates the call sites like [`new`](Self::new), with the options `sample` and `slow`.
    #[must_use]
    #[track_caller]
    pub const fn sampled(
        target: &'static str,
        level: Level,
        input_fields: &'static [&'static str],
        output_fields: &'static [&'static str],
        sampling: Sampling,
    ) -> Self {
        let caller = Location::caller();
        let origin = Origin { target, level, file: caller.file(), line: caller.line() };
        Self::of_origin(origin, [input_fields, output_fields], sampling)
    }

    /// Creates the call sites for the fields of input and output.
    pub(super) const fn of_origin(origin: Origin, fields: [Names; 2], sampling: Sampling) -> Self {
        Self { origin, fields, sampling, sets: [const { OnceLock::new() }; 4] }
    }

    /// Returns the logged fields.
    #[must_use]
    pub fn logged_fields(&self) -> LoggedFields {
        let [input, output] = self.fields.map(|fields| {
            fields.iter().map(|field| LoggedField::listed(field)).collect::<Vec<_>>()
        });
        LoggedFields { input, output }
    }

    /// Returns the sites for a call, if some subscriber may be interested in some record.
    // Inlined, so that with the level off nothing needs the context in memory.
    #[inline(always)]
    pub(super) fn if_possible(&'static self, context: &Context) -> Option<&'static SiteSet> {
        // No record is above ERROR, so the first comparison usually decides.
        if Level::ERROR <= LevelFilter::current() {
            Some(self.of(context)).filter(|sites| sites.is_possible())
        } else {
            absent_subscriber::report_once();
            None
        }
    }

    /// Returns the sites for a call. Without an id, or outside a batch, their records lack these fields.
    #[inline(always)]
    pub(super) fn of(&'static self, context: &Context) -> &'static SiteSet {
        self.set(context.prediction_id().is_some(), context.batch_row().is_some())
    }

    #[inline]
    fn set(&'static self, has_id: bool, is_in_batch: bool) -> &'static SiteSet {
        let set = &self.sets[usize::from(has_id) + 2 * usize::from(is_in_batch)];
        match set.get() {
            Some(sites) => sites,
            None => self.create(set, has_id, is_in_batch),
        }
    }

    #[cold]
    fn create(
        &'static self,
        set: &'static OnceLock<Box<SiteSet>>,
        has_id: bool,
        is_in_batch: bool,
    ) -> &'static SiteSet {
        set.get_or_init(|| {
            let id: Names = if has_id { &[PredictionId::FIELD] } else { &[] };
            let batch: Names = match (is_in_batch, self.sampling.is_sampled()) {
                (false, false) => &[],
                (false, true) => &[keys::SAMPLE_RATE],
                (true, false) => &keys::BATCH,
                (true, true) => &keys::SAMPLED_BATCH,
            };
            Box::new(SiteSet::new(self.origin, [id, batch], self.fields))
        })
    }
}

/// Names of fields.
type Names = &'static [&'static str];

/// Target, level and source location of records.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    pub(super) target: &'static str,
    pub(super) level: Level,
    pub(super) file: &'static str,
    pub(super) line: u32,
}

/// The call sites of the records of one prediction.
#[derive(Debug)]
pub(super) struct SiteSet {
    pub(super) requested: CallSite,
    created: CallSite,
    pub(super) failed: CallSite,
    /// The site of slow predictions, created on first use.
    slow: OnceLock<Box<CallSite>>,
}

impl SiteSet {
    fn new(
        origin: Origin,
        [id, batch]: [Names; 2],
        [input_fields, output_fields]: [Names; 2],
    ) -> Self {
        const HEAD: Names = &keys::HEAD;
        const OUTCOME: Names = &keys::OUTCOME;
        let failed = Origin { level: Level::ERROR, ..origin };
        Self {
            requested: CallSite::new(
                "prediction requested",
                origin,
                [HEAD, id, batch, &[], input_fields],
            ),
            created: CallSite::new(
                "prediction created",
                origin,
                [HEAD, id, batch, OUTCOME, output_fields],
            ),
            failed: CallSite::new(
                "prediction failed",
                failed,
                [HEAD, id, batch, OUTCOME, &[keys::ERROR]],
            ),
            slow: OnceLock::new(),
        }
    }

    /// Returns the site of a prediction that has succeeded.
    #[inline]
    pub(super) fn created(&'static self, is_slow: bool) -> &'static CallSite {
        if is_slow { self.slow() } else { &self.created }
    }

    #[cold]
    fn slow(&'static self) -> &'static CallSite {
        self.slow.get_or_init(|| {
            let CallSite { name, origin, field_names, .. } = self.created;
            // ERROR is the lowest level.
            let origin = Origin { level: origin.level.min(Level::WARN), ..origin };
            Box::new(CallSite::new(name, origin, field_names))
        })
    }

    /// Returns whether some subscriber may be interested in some record.
    fn is_possible(&'static self) -> bool {
        self.failed.is_possible() || self.requested.is_possible() || self.created.is_possible()
    }
}

/// One `tracing` call site, completed and registered on first use.
pub(super) struct CallSite {
    name: &'static str,
    origin: Origin,
    /// Parts of the list of field names, which are joined at the first use. The last part holds the
    /// logged fields in their text form.
    field_names: [Names; 5],
    interest: AtomicU8,
    metadata: OnceLock<Metadata<'static>>,
}

const UNREGISTERED: u8 = 0;
const NEVER: u8 = 1;
const SOMETIMES: u8 = 2;
const ALWAYS: u8 = 3;

impl CallSite {
    fn new(name: &'static str, origin: Origin, field_names: [Names; 5]) -> Self {
        Self {
            name,
            origin,
            field_names,
            interest: AtomicU8::new(UNREGISTERED),
            metadata: OnceLock::new(),
        }
    }

    /// Returns whether some subscriber may be interested in the record.
    #[inline]
    fn is_possible(&'static self) -> bool {
        self.origin.level <= STATIC_MAX_LEVEL
            && self.origin.level <= LevelFilter::current()
            && self.interest() != NEVER
    }

    /// Returns whether the current subscriber is interested in the record.
    ///
    /// It must be called directly before [`dispatch`](Self::dispatch): subscribers with several filters
    /// store their decisions until then.
    // A level that is off is decided where the record would be written.
    #[inline(always)]
    pub(super) fn is_enabled(&'static self) -> bool {
        self.is_possible() && self.is_wanted()
    }

    #[inline(never)]
    fn is_wanted(&'static self) -> bool {
        self.interest() == ALWAYS
            || dispatcher::get_default(|subscriber| subscriber.enabled(self.metadata()))
    }

    /// Sends the record with one value per field.
    pub(super) fn dispatch(&'static self, values: &[Option<&dyn Value>]) {
        let metadata = self.metadata();
        Event::dispatch(metadata, &metadata.fields().value_set_all(values));
    }

    #[inline]
    fn interest(&'static self) -> u8 {
        match self.interest.load(Ordering::Relaxed) {
            UNREGISTERED => self.register(),
            interest => interest,
        }
    }

    #[cold]
    fn register(&'static self) -> u8 {
        // The first thread registers the site. Until it has finished, the others consult the
        // subscriber for each record. This includes a subscriber that logs during the registration.
        if self
            .interest
            .compare_exchange(UNREGISTERED, SOMETIMES, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
        {
            let _completed = self.metadata();
            callsite::register(self);
            absent_subscriber::report_thread_once();
            if self.field_names.iter().copied().flatten().any(|field| field.starts_with("hashed("))
            {
                report_missing_key();
            }
        }
        self.interest.load(Ordering::Relaxed)
    }

    #[inline]
    fn metadata(&'static self) -> &'static Metadata<'static> {
        self.metadata.get_or_init(|| {
            // `tracing` requires static names. This leaks once per site.
            let names = self.field_names.iter().copied().flatten().map(|name| key_of(name));
            let names: Names = names.collect::<Vec<_>>().leak();
            Metadata::new(
                self.name,
                self.origin.target,
                self.origin.level,
                Some(self.origin.file),
                Some(self.origin.line),
                None,
                FieldSet::new(names, Identifier(self)),
                Kind::EVENT,
            )
        })
    }
}

impl Callsite for CallSite {
    fn set_interest(&self, interest: Interest) {
        let interest = if interest.is_always() {
            ALWAYS
        } else if interest.is_never() {
            NEVER
        } else {
            SOMETIMES
        };
        self.interest.store(interest, Ordering::Relaxed);
    }

    fn metadata(&self) -> &Metadata<'_> {
        self.metadata.get().expect("a site is completed before its registration")
    }
}

impl fmt::Debug for CallSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallSite")
            .field("name", &self.name)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}
