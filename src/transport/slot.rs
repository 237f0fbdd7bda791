//! One place among the open TCP connections of this instance.

use std::sync::{Arc, Mutex, PoisonError};

use http::Request;
use tokio::sync::OwnedSemaphorePermit;

use crate::connection::Member;
use crate::metrics::Held;

/// Held for as long as the TCP connection lives, and given back on drop.
///
/// The listener hands it on in the extensions of each request, because a
/// connection that was upgraded outlives the HTTP task that accepted it and
/// must go on counting against `connections_max`.
#[derive(Debug, Clone)]
pub struct ConnectionSlot {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    _permit: OwnedSemaphorePermit,
    _counted: Held,
    /// Among those of its address; `None` for proxies and other instances,
    /// which stand for many.
    member: Mutex<Option<Member>>,
    is_beyond: bool,
}

impl ConnectionSlot {
    /// `is_beyond`: its address has more than its share, so that this one is
    /// good only for what is open already.
    pub fn new(
        permit: OwnedSemaphorePermit,
        counted: Held,
        member: Option<Member>,
        is_beyond: bool,
    ) -> Self {
        let member = Mutex::new(member);
        Self { inner: Arc::new(Inner { _permit: permit, _counted: counted, member, is_beyond }) }
    }

    /// Whether this request begins something on a connection that is beyond
    /// the share of its address.
    pub fn is_beyond<B>(request: &Request<B>) -> bool {
        request.extensions().get::<Self>().is_some_and(|slot| slot.inner.is_beyond)
    }

    /// The peer has turned out to be another instance: what it brings is
    /// counted there, by the addresses of its clients.
    pub(super) fn is_of_an_instance<B>(request: &Request<B>) {
        if let Some(slot) = request.extensions().get::<Self>() {
            drop(slot.inner.member.lock().unwrap_or_else(PoisonError::into_inner).take());
        }
    }
}
