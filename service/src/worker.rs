//! Long work on a worker of the runtime.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Runs work that takes long on this thread. A worker leaves its other tasks to another thread meanwhile,
/// so that the caller must limit how much of it runs at the same time.
pub(crate) fn run_long<T>(work: impl FnOnce() -> T) -> T {
    // Only the multi-thread runtime has other threads for the tasks of this one.
    let flavor = Handle::try_current().map(|runtime| runtime.runtime_flavor());
    if flavor.is_ok_and(|flavor| flavor == RuntimeFlavor::MultiThread) {
        tokio::task::block_in_place(work)
    } else {
        work()
    }
}
