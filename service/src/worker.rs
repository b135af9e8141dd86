//! Long work on a worker of the runtime.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Runs long work on this thread. If it is a worker, another thread takes over its other tasks meanwhile, so
/// that the caller must limit the number of such calls at the same time.
pub(crate) fn run_long<T>(work: impl FnOnce() -> T) -> T {
    // Only the multi-thread runtime can move the tasks of a worker to another thread.
    let flavor = Handle::try_current().map(|runtime| runtime.runtime_flavor());
    if flavor.is_ok_and(|flavor| flavor == RuntimeFlavor::MultiThread) {
        tokio::task::block_in_place(work)
    } else {
        work()
    }
}
