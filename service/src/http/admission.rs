//! The limit of open connections.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::AbortHandle;

use super::connection::Connection;
use crate::throttle::Throttle;

/// Number of connections beyond the limit on which probes are answered.
pub(crate) const SURPLUS: usize = 64;

/// The open connections, in the order in which unused ones are closed for new ones.
pub(super) struct OpenConnections {
    limit: usize,
    connections: VecDeque<(Arc<Connection>, AbortHandle)>,
    /// Number of entries at which those of closed connections are removed.
    clean_at: usize,
    reports: Throttle,
}

/// Minimum of `clean_at`.
const FEW: usize = 64;

/// Minimum time between two reports that the limit is reached.
const REPORT_PAUSE: Duration = Duration::from_secs(60);

impl OpenConnections {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            connections: VecDeque::new(),
            clean_at: FEW,
            reports: Throttle::new(REPORT_PAUSE),
        }
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// Returns whether a report that the limit is reached is due.
    pub(super) fn is_report_due(&self) -> bool {
        self.reports.permits()
    }

    /// Makes room for a connection. At the limit, closes the one that has been unused for longest. If all
    /// are in use, admits a few more for probes. `None` if there is no room for these either.
    pub(super) fn admit(&mut self) -> Option<Connection> {
        while self.connections.len() >= self.limit {
            if !self.close_unused() {
                let has_room = self.connections.len() < self.limit + SURPLUS;
                return has_room.then(Connection::surplus);
            }
        }
        Some(Connection::default())
    }

    /// Adds an admitted connection and its task.
    pub(super) fn add(&mut self, connection: Arc<Connection>, task: AbortHandle) {
        if self.connections.len() >= self.clean_at {
            self.connections.retain(|(_, task)| !task.is_finished());
            self.clean_at = FEW.max(2 * self.connections.len());
        }
        self.connections.push_back((connection, task));
    }

    /// Removes a connection that is closed already, or closes one that waits for a request. Returns
    /// `false` if there is none.
    pub(super) fn close_unused(&mut self) -> bool {
        // A connection that was used since it was last looked at gets a second chance.
        for _ in 0..2 * self.connections.len() {
            let Some((connection, task)) = self.connections.pop_front() else { break };
            if task.is_finished() {
                return true;
            }
            if connection.is_unused() {
                task.abort();
                return true;
            }
            self.connections.push_back((connection, task));
        }
        false
    }
}
