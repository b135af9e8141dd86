//! Rendering: from an event of `tracing` to the bytes of a record.
//!
//! Handlers with the same layout share a [render group](group), so that each event is rendered once for all
//! of them. Everything that is known from the callsite is prepared in a [template]: rendering copies
//! its text and fills its slots. Threads and callsites have caches, so that a record allocates nothing.
//!
//! | module | contents |
//! |---|---|
//! | `group` | render groups: handlers with one layout and one limit |
//! | `template`, `render` | the template of a callsite; filling its slots with the values of an event |
//! | `visit`, `clock` | values of `tracing` as JSON; the time of a record |
//! | `span`, `span_table` | rendered fields of one span; those of all open spans |
//! | `span_observer` | the interface for code that follows spans, such as an export |
//! | `text` | records as lines of text |
//! | `limit` | the limit for the length of a record |
//! | `dropped` | the record that reports dropped records |
//! | `callsite_cache`, `thread_cache` | one value per callsite; buffers that a thread keeps |

pub(crate) mod callsite_cache;
mod clock;
mod dropped;
mod group;
mod limit;
mod render;
pub(crate) mod span;
pub(crate) mod span_observer;
mod span_table;
mod template;
mod text;
mod thread_cache;
mod visit;

pub(crate) use self::{
    dropped::render_dropped, group::RenderGroups, span::SpanFields, span_observer::SpanObserver,
    span_table::SpanTable, thread_cache::ThreadCache,
};
