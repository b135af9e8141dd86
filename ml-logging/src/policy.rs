//! What a handler does with records that its sink does not take at once.

use std::path::PathBuf;

/// What a handler does when records come faster than they can be written.
///
/// Records reach the sink in the order in which they were logged, whatever the policy. A record that
/// a sink refuses, as a full disk does, is lost and counted; with [`Spill`](Self::Spill) it is tried
/// again, unless the sink is a pipe that nobody reads any more.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Policy {
    /// Whoever finds the queue full waits until there is room: a sink that stalls stalls the
    /// program, and nothing is lost.
    #[default]
    Block,
    /// Records that find the queue full are dropped and counted. As soon as there is room, the
    /// handler gets a record that says how many: `Log records were dropped.`, with the fields
    /// `dropped` and `handler`, at the level WARN, whatever the loggers let through.
    Drop,
    /// Records that find the queue full go to a file, from which they are read back in order.
    Spill(Spill),
    /// A record is written before the thread that logs it goes on: the operating system has it then,
    /// so it outlives the process, however that ends. It does not outlive the machine: nothing is
    /// `fsync`ed. Records of several threads are written in one piece while one before them is
    /// being written. A sink that stalls stalls the program.
    ///
    /// A record gets here by its target: name it at the attribute,
    /// `#[decorate(logging(target = "audit"))]`, and send the logger `audit` to the handler.
    Audit,
}

/// Where records go when the queue in memory is full: a file, used as a ring.
///
/// The file belongs to one handler of one process, and is emptied at the start:
/// what is in it when the process is killed is lost, like what is queued in memory. A file that holds
/// anything else is refused, and so is one that a handler of the configuration writes its records to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spill {
    pub(crate) file: PathBuf,
    pub(crate) bytes: u64,
    pub(crate) drops: bool,
}

impl Spill {
    /// The least that [`new`](Self::new) takes for `bytes`.
    pub const MIN_BYTES: u64 = 64 * 1024;

    /// A file of at most `bytes` bytes, of at least [`MIN_BYTES`](Self::MIN_BYTES). If it is full, or
    /// the disk is, whoever logs waits.
    pub fn new(file: impl Into<PathBuf>, bytes: u64) -> Self {
        Self { file: file.into(), bytes: bytes.max(Self::MIN_BYTES), drops: false }
    }

    /// If the file is full, or the disk is, records are dropped, as by [`Policy::Drop`].
    #[must_use]
    pub fn drop_when_full(mut self) -> Self {
        self.drops = true;
        self
    }
}

impl Policy {
    /// Whether records can be dropped.
    pub(crate) fn drops(&self) -> bool {
        match self {
            Self::Drop => true,
            Self::Spill(spill) => spill.drops,
            Self::Block | Self::Audit => false,
        }
    }
}
