//! What a handler does when its queue is full.

/// What a handler does when records come faster than its sink takes them.
///
/// With every policy records reach the sink in the order in which they were logged. A record that the
/// sink refuses, for example because the disk is full, is lost and counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Policy {
    /// A thread that finds the queue full waits until there is room. Nothing is lost, and a sink that
    /// stalls stalls the program.
    #[default]
    Block,
    /// A record that finds the queue full is dropped and counted. As soon as there is room, the handler
    /// writes a record with the number of dropped records: `Log records were dropped.`, with the fields
    /// `dropped` and `handler`, at level WARN, regardless of the levels of the loggers.
    Drop,
    /// A record is written before the thread that logs it continues. The operating system has the record
    /// then, so that it survives the end of the process, but not a failure of the machine: nothing is
    /// `fsync`ed. While one record is being written, the records of other threads gather and are
    /// written together. A sink that stalls stalls the program.
    ///
    /// Records get here by their target: name it in the attribute,
    /// `#[decorate(logging(target = "audit"))]`, and route the logger `audit` to the handler.
    Audit,
}
