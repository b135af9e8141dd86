//! Reading: bytes of files and of standard input become lines, each with the position of its source.
//!
//! | module | contents |
//! |---|---|
//! | `position` | how far a source has been read, and how it is recognised |
//! | `lines` | from bytes to lines, container wrappers removed |
//! | `file` | one open file, plain or compressed |
//! | `follow` | a path, and the rotated files beside it |
//! | `input` | standard input |

mod file;
mod follow;
mod input;
mod lines;
mod position;

pub(crate) use follow::Follower;
pub(crate) use input::StandardInput;
pub(crate) use lines::Lines;
pub(crate) use position::Position;
