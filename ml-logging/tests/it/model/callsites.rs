//! Callsites created at run time. `tracing` requires static ones, so that equal ones are created once.

use std::{
    collections::HashMap,
    sync::{Mutex, OnceLock, PoisonError},
};

use tracing::{
    Level, Metadata,
    callsite::{Callsite, Identifier},
    field::FieldSet,
    metadata::Kind,
    subscriber::Interest,
};

/// Source of events and spans.
pub const FILE: &str = "some/where.rs";
pub const LINE: u32 = 17;
pub const MODULE: &str = "some::module";

#[derive(Default)]
struct Site(OnceLock<Metadata<'static>>);

impl Callsite for Site {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        self.0.get().unwrap()
    }
}

type Key = (Vec<String>, String, Level, bool);

static SITES: Mutex<Option<HashMap<Key, &'static Metadata<'static>>>> = Mutex::new(None);

pub fn event(names: &[&str], target: &str, level: Level) -> &'static Metadata<'static> {
    get(names, target, level, true)
}

pub fn span(names: &[&str]) -> &'static Metadata<'static> {
    get(names, "span", Level::INFO, false)
}

fn get(names: &[&str], target: &str, level: Level, is_event: bool) -> &'static Metadata<'static> {
    let own: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut sites = SITES.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (own, target.to_owned(), level, is_event);
    sites.get_or_insert_default().entry(key).or_insert_with_key(|(names, target, level, _)| {
        let site: &'static Site = Box::leak(Box::default());
        let names: Vec<&'static str> = names.iter().map(|name| &*name.clone().leak()).collect();
        site.0.get_or_init(|| {
            Metadata::new(
                "made",
                target.clone().leak(),
                *level,
                Some(FILE),
                Some(LINE),
                Some(MODULE),
                FieldSet::new(names.leak(), Identifier(site)),
                if is_event { Kind::EVENT } else { Kind::SPAN },
            )
        })
    })
}
