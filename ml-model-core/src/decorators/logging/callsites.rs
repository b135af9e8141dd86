//! The `tracing` call sites of one logging attribute.
//!
//! `tracing`'s own event macros make one static per event and expand to a page of code each. Here
//! an attribute has one static, [`LogSites`], and what the macros would generate is ordinary code:
//! the same checks in the same order, on call sites that are completed when first used. That
//! also lets decorators made from configuration have real field names.

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

use crate::logged_field::{LoggedField, LoggedFields, key_of};
use crate::request::Context;

/// The `tracing` call sites of one logging attribute; a static in the user's crate.
#[derive(Debug)]
pub struct LogSites {
    single: Sites,
    in_batch: Sites,
}

#[derive(Debug)]
struct Sites {
    without_id: SiteSet,
    with_id: SiteSet,
}

impl LogSites {
    /// Call sites of records to `target`, requests and predictions at `level`, failures at ERROR. A field
    /// is listed as its path, or as `path as key`.
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
        let caller = Location::caller();
        Self::at((caller.file(), caller.line()), target, level, input_fields, output_fields)
    }

    /// The same for another place than the caller: file and line.
    pub(super) const fn at(
        location: (&'static str, u32),
        target: &'static str,
        level: Level,
        input_fields: &'static [&'static str],
        output_fields: &'static [&'static str],
    ) -> Self {
        const fn sites(
            whose: (&'static str, Level, (&'static str, u32)),
            fields: [&'static [&'static str]; 2],
            batch: &'static [&'static str],
        ) -> Sites {
            Sites {
                without_id: SiteSet::new(whose, [&[], batch], fields),
                with_id: SiteSet::new(whose, [&["prediction_id"], batch], fields),
            }
        }
        let (whose, fields) = ((target, level, location), [input_fields, output_fields]);
        Self {
            single: sites(whose, fields, &[]),
            in_batch: sites(whose, fields, &["batch_id", "row"]),
        }
    }

    /// Fields of the input and of the output, as they are listed.
    pub(super) fn logged_fields(&self) -> LoggedFields {
        let SiteSet { requested, created, .. } = &self.single.without_id;
        let listed = |site: &CallSite| {
            let [.., own] = site.field_names;
            own.iter().map(|field| LoggedField::listed(field)).collect()
        };
        LoggedFields { input: listed(requested), output: listed(created) }
    }

    /// The sites for such predictions. One without an id or outside of a batch has no such
    /// fields, rather than empty ones.
    #[inline]
    pub(super) fn of(&'static self, context: &Context) -> &'static SiteSet {
        let sites = match context.batch_row() {
            Some(_) => &self.in_batch,
            None => &self.single,
        };
        match context.prediction_id() {
            Some(_) => &sites.with_id,
            None => &sites.without_id,
        }
    }
}

/// One site per record.
#[derive(Debug)]
pub(super) struct SiteSet {
    pub(super) requested: CallSite,
    pub(super) created: CallSite,
    pub(super) failed: CallSite,
}

impl SiteSet {
    const fn new(
        whose: (&'static str, Level, (&'static str, u32)),
        [id, batch]: [&'static [&'static str]; 2],
        [input_fields, output_fields]: [&'static [&'static str]; 2],
    ) -> Self {
        const HEAD: &[&str] = &["message", "action", "model_qualified_name", "model_version"];
        const OUTCOME: &[&str] = &["status", "duration_ms"];
        let (target, _, location) = whose;
        let failed = (target, Level::ERROR, location);
        Self {
            requested: CallSite::new(
                "prediction requested",
                whose,
                [HEAD, id, batch, &[], input_fields],
            ),
            created: CallSite::new(
                "prediction created",
                whose,
                [HEAD, id, batch, OUTCOME, output_fields],
            ),
            failed: CallSite::new(
                "prediction failed",
                failed,
                [HEAD, id, batch, OUTCOME, &["error_info"]],
            ),
        }
    }

    /// Whether some subscriber may want some record.
    #[inline]
    pub(super) fn is_possible(&'static self) -> bool {
        // No record is above ERROR: usually the first question is the last one.
        Level::ERROR <= LevelFilter::current()
            && (self.failed.is_possible()
                || self.requested.is_possible()
                || self.created.is_possible())
    }
}

/// One `tracing` call site, completed and registered when first asked.
pub(super) struct CallSite {
    name: &'static str,
    target: &'static str,
    level: Level,
    location: (&'static str, u32),
    /// Parts of the list of field names, joined when first used. The last ones are the user's, as listed.
    field_names: [&'static [&'static str]; 5],
    interest: AtomicU8,
    metadata: OnceLock<Metadata<'static>>,
}

const UNREGISTERED: u8 = 0;
const NEVER: u8 = 1;
const SOMETIMES: u8 = 2;
const ALWAYS: u8 = 3;

impl CallSite {
    const fn new(
        name: &'static str,
        (target, level, location): (&'static str, Level, (&'static str, u32)),
        field_names: [&'static [&'static str]; 5],
    ) -> Self {
        Self {
            name,
            target,
            level,
            location,
            field_names,
            interest: AtomicU8::new(UNREGISTERED),
            metadata: OnceLock::new(),
        }
    }

    /// Whether some subscriber may want the record.
    #[inline]
    fn is_possible(&'static self) -> bool {
        self.level <= STATIC_MAX_LEVEL
            && self.level <= LevelFilter::current()
            && self.interest() != NEVER
    }

    /// Whether the current subscriber wants the record. To be asked right before the record is
    /// sent: subscribers with several filters remember their answers until then.
    #[inline]
    pub(super) fn is_enabled(&'static self) -> bool {
        self.is_possible()
            && (self.interest() == ALWAYS
                || dispatcher::get_default(|subscriber| subscriber.enabled(self.metadata())))
    }

    /// Number of fields, those of the head included.
    pub(super) fn fields(&'static self) -> usize {
        self.metadata().fields().len()
    }

    /// Sends the record, one value per field.
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
        // Whoever comes first registers. Others, a subscriber that logs while it is asked
        // included, ask the subscriber about each record until that is done.
        if self
            .interest
            .compare_exchange(UNREGISTERED, SOMETIMES, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
        {
            let _completed = self.metadata();
            callsite::register(self);
        }
        self.interest.load(Ordering::Relaxed)
    }

    #[inline]
    fn metadata(&'static self) -> &'static Metadata<'static> {
        self.metadata.get_or_init(|| {
            // Once per site, for the life of the program: `tracing` wants static names.
            let names = self.field_names.iter().copied().flatten().map(|name| key_of(name));
            let names: &'static [&'static str] = names.collect::<Vec<_>>().leak();
            Metadata::new(
                self.name,
                self.target,
                self.level,
                Some(self.location.0),
                Some(self.location.1),
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
        self.metadata.get().expect("a site is completed before it is registered")
    }
}

impl fmt::Debug for CallSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallSite")
            .field("name", &self.name)
            .field("target", &self.target)
            .field("level", &self.level)
            .finish_non_exhaustive()
    }
}
