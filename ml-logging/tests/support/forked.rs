//! Processes that fork and go on without `exec`.
#![allow(unreachable_pub, reason = "each test binary has a copy")]
#![allow(unsafe_code, reason = "there is no safe fork")]

/// Runs `run` in a forked process, and waits until it ends well.
pub fn in_fork(run: impl FnOnce()) {
    // SAFETY: the child does what this test is about, and ends without returning to its caller.
    match unsafe { libc::fork() } {
        -1 => panic!("no fork"),
        0 => {
            // A child that hangs, as for a lock that nobody will release, is ended by the system.
            // SAFETY: it only sets a timer.
            unsafe { libc::alarm(20) };
            let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_ok();
            // SAFETY: ends the process, and nothing of it runs afterwards.
            unsafe { libc::_exit(i32::from(!ended)) };
        }
        id => {
            let mut status = 0;
            // SAFETY: the status is written to a place of its own.
            assert_eq!(unsafe { libc::waitpid(id, &raw mut status, 0) }, id);
            assert_eq!(status, 0, "the forked process has failed");
        }
    }
}
