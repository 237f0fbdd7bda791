//! What a connection asks of a WebSocket; `transport` makes one.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;

use crate::hub::Wire;
use crate::protocol::CloseReason;

/// An open WebSocket. It answers pings by itself and has no opinion on
/// Engine.IO. Driven by one task.
pub trait Link: Send + 'static {
    /// The next message. After [`Incoming::Ended`] it is not called again.
    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<Incoming>;

    /// Queues whole frames, without a limit: call it when the last
    /// [`Link::poll_flush`] was ready.
    fn queue(&mut self, frames: Bytes);

    /// Whether something is queued, the link's own pongs included.
    fn has_queued(&self) -> bool;

    /// What waits behind the first of the queued frames, in
    /// [held bytes](crate::hub::held_bytes).
    fn behind_first_bytes(&self) -> usize;

    /// Bytes that the network has taken so far.
    fn taken_bytes(&self) -> u64;

    /// Ready when everything queued has been handed to the network, or never will be.
    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<Result<(), CloseReason>>;

    /// The way past the task that drives this link, if it has one: to be used
    /// when nothing else is on its way to the peer.
    fn wire(&self) -> Option<Arc<dyn Wire>>;

    /// Writes what is queued and then the close frame that fits the way the
    /// link ended: the code of the peer's own fault, an echo of the peer's
    /// code, or none. Bounded in time.
    fn close(self: Box<Self>) -> BoxFuture<'static, ()>;

    /// Ends it here and now, with what is queued and what the kernel has not
    /// sent: for a peer that takes nothing.
    fn abort(self: Box<Self>);
}

/// What a WebSocket brings.
#[derive(Debug)]
pub enum Incoming {
    /// UTF-8.
    Text(BytesMut),
    Binary(Bytes),
    Ended(CloseReason),
}
