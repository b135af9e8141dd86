//! One line of a log as a record: the JSON formats that loggers of predictions write.
//!
//! | module | contents |
//! |---|---|
//! | `members` | the members of a JSON object, borrowed from the line |
//! | `role` | the meaning of a member, from its name |
//! | `time` | times in the forms that loggers write |
//! | `container` | lines that a container runtime has wrapped |
//! | `decode` | a line as a [`Record`] |

mod container;
mod decode;
mod members;
mod role;
mod time;

pub(crate) use container::{Piece, Stream, unwrap};
pub(crate) use decode::{Decoder, Kind, Outcome, Record};
pub(crate) use members::{Members, text, write_member, written_members};
pub(crate) use role::{Role, role};
