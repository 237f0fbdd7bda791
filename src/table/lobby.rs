//! Sockets that have not joined yet. All wait for the same time, so one queue
//! and one task serve them all.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::connection::Socket;

#[derive(Debug)]
pub(super) struct Lobby {
    timeout: Duration,
    sockets_max: usize,
    waiting: Mutex<VecDeque<(Instant, Socket)>>,
    arrived: Notify,
}

impl Lobby {
    pub(super) fn new(timeout: Duration, sockets_max: usize) -> Arc<Self> {
        Arc::new(Self { timeout, sockets_max, waiting: Mutex::default(), arrived: Notify::new() })
    }

    /// The socket waits. A full lobby turns away who has waited the longest.
    pub(super) fn enter(&self, socket: Socket) -> Option<Socket> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push_back((Instant::now() + self.timeout, socket));
        self.arrived.notify_one();
        let surplus = self.sockets_max < waiting.len();
        surplus.then(|| waiting.pop_front()).flatten().map(|(_, socket)| socket)
    }

    /// The next socket whose time is over; whether it joined meanwhile is for
    /// the caller to see.
    pub(super) async fn overdue(&self) -> Socket {
        loop {
            let first = {
                let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                waiting.front().map(|(due, _)| *due)
            };
            match first {
                Some(due) => sleep_until(due).await,
                None => {
                    self.arrived.notified().await;
                    continue;
                }
            }
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let is_due = waiting.front().is_some_and(|(due, _)| *due <= Instant::now());
            if is_due && let Some((_, socket)) = waiting.pop_front() {
                return socket;
            }
        }
    }
}
