//! What a handler does with records that its sink does not take at once.

/// What a handler does when records come faster than they can be written.
///
/// Records reach the sink in the order in which they were logged, whatever the policy. A record that
/// a sink refuses, as a full disk does, is lost and counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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
    /// A record is written before the thread that logs it goes on: the operating system has it then,
    /// so it outlives the process, however that ends. It does not outlive the machine: nothing is
    /// `fsync`ed. Records of several threads are written in one piece while one before them is
    /// being written. A sink that stalls stalls the program.
    ///
    /// A record gets here by its target: name it at the attribute,
    /// `#[decorate(logging(target = "audit"))]`, and send the logger `audit` to the handler.
    Audit,
}
