//! The bounded queue between everybody who writes to a connection and the connection.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use smallvec::SmallVec;
use thiserror::Error;

use crate::hub::wire::{Offered, Wire};
use crate::protocol::Encoded;

/// Messages taken from an outbox, in the order they were pushed. One fits
/// without a heap buffer, which is what most wake-ups find.
pub type Waiting = SmallVec<[Encoded; 1]>;

/// How much may wait for a connection that reads slowly, whatever its pace.
/// A message is taken as long as less than this waits, so one message of any
/// size always fits.
///
/// Who takes nothing is closed long before (`connection`'s pace): these limits
/// are for the burst that a quick client has behind it in a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutboxLimits {
    pub messages_max: u32,
    /// In [held bytes](held_bytes).
    pub bytes_max: u32,
    /// In held bytes: from here on the outbox [is crowded](Outbox::is_crowded).
    pub crowded_bytes: u32,
}

impl Default for OutboxLimits {
    fn default() -> Self {
        Self { messages_max: 1_024, bytes_max: 4 << 20, crowded_bytes: 2 << 20 }
    }
}

/// What a message keeps alive at the most if nobody else holds it: its block,
/// of which there are a few sizes for small ones, and its places in the heap
/// and in a queue. Counted in full for each of those who share it, because the slowest
/// one of a room ends up as the only one. A packet of one character (ping,
/// noop) is a constant and holds nothing.
pub fn held_bytes(frames: &Bytes) -> usize {
    const CONSTANT_BYTES_MAX: usize = 3; // a head of two, and the character
    const BLOCK_BYTES_MIN: usize = 256;
    const SMALL_BYTES_MAX: usize = 1_024;
    const PLACE_BYTES: usize = 96;
    PLACE_BYTES
        + match frames.len() {
            ..=CONSTANT_BYTES_MAX => return 0,
            small if small <= SMALL_BYTES_MAX => small.next_power_of_two().max(BLOCK_BYTES_MIN),
            large => large,
        }
}

/// The message was not taken and never will be: the outbox overflowed, now or
/// earlier, or the connection has ended. The connection is closing; there is
/// nothing left for the sender to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("outbox is full or closed")]
pub struct OutboxFull;

/// Many producers, one consumer (the task of the connection).
///
/// Guarantees: order; no growth beyond the limits; after an overflow the
/// queue is emptied, refuses everything, and tells its consumer, who closes
/// the connection with [`CloseReason::SlowConsumer`](crate::protocol::CloseReason).
/// An idle outbox owns no heap buffer.
///
/// A message counts until the network has it: what [`Outbox::take_all`] gave
/// is on its way until the next call, by which the consumer says that it has
/// left.
///
/// What is [queued](Outbox::queue) without waking anybody leaves with the next
/// [`Outbox::flush`]: past the consumer if it has [attached](Outbox::attach)
/// its [`Wire`] and has nothing under way.
#[derive(Debug)]
pub struct Outbox {
    queue: Mutex<Queue>,
    consumer: AtomicWaker,
    limits: OutboxLimits,
}

#[derive(Default)]
struct Queue {
    messages: Waiting,
    wire: Option<Arc<dyn Wire>>,
    /// Held by `messages`.
    bytes: usize,
    /// The part of `bytes` that nobody here asked for.
    shared_bytes: usize,
    /// Held by what was taken and is on its way.
    leaving_bytes: usize,
    /// Something was taken, and the consumer has not come back for more.
    is_leaving: bool,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Shared,
    Answer,
}

/// What waits, in held bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    pub bytes: usize,
    /// The part of `bytes` that is not the first message's.
    pub behind_first_bytes: usize,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Open,
    Overflown,
    Closed,
}

impl Outbox {
    pub fn new(limits: OutboxLimits) -> Self {
        Self { queue: Mutex::default(), consumer: AtomicWaker::new(), limits }
    }

    /// Queues a message of a room and wakes the connection.
    pub fn push(&self, message: Encoded) -> Result<(), OutboxFull> {
        let pushed = self.lock().push(message, Kind::Shared, self.limits);
        self.wake();
        pushed
    }

    /// As [`Outbox::push`], but nobody is woken before [`Outbox::flush`], so
    /// that what belongs together leaves together.
    pub fn queue(&self, message: Encoded) -> Result<(), OutboxFull> {
        let queued = self.lock().push(message, Kind::Shared, self.limits);
        if queued.is_err() {
            self.wake();
        }
        queued
    }

    /// As [`Outbox::push_answer`], but nobody is woken before
    /// [`Outbox::flush`].
    pub fn queue_answer(&self, message: Encoded) -> Result<(), OutboxFull> {
        let queued = self.lock().push(message, Kind::Answer, self.limits);
        if queued.is_err() {
            self.wake();
        }
        queued
    }

    /// What waits leaves: at once, if the consumer has nothing under way and
    /// the network has room; by the consumer, which is woken, otherwise.
    pub fn flush(&self) {
        let mut queue = self.lock();
        if queue.messages.is_empty() {
            return;
        }
        let is_at_rest = !queue.is_leaving && queue.state == State::Open;
        let offered = match &queue.wire {
            Some(wire) if is_at_rest => wire.offer(&queue.messages),
            _ => Offered::Refused,
        };
        match offered {
            Offered::Sent => return queue.forget_waiting(),
            Offered::Begun => queue.take(),
            Offered::Refused => Waiting::new(),
        };
        drop(queue);
        self.wake();
    }

    /// What is queued from now on may leave by `wire`, which is the
    /// connection's only one. Consumer only.
    pub fn attach(&self, wire: Arc<dyn Wire>) {
        let mut queue = self.lock();
        if queue.state == State::Open {
            queue.wire = Some(wire);
        }
    }

    /// Queues a message that answers this very client. Its bytes do not make
    /// the outbox overflow: who asks for much is read from no further while
    /// the outbox [is crowded](Outbox::is_crowded), which bounds them.
    pub fn push_answer(&self, message: Encoded) -> Result<(), OutboxFull> {
        let pushed = self.lock().push(message, Kind::Answer, self.limits);
        self.wake();
        pushed
    }

    /// Queues a message that may be lost: only when nothing else waits or is
    /// still on its way, so that it is the first to go where there is little
    /// room. Returns whether it was taken.
    pub fn push_volatile(&self, message: Encoded) -> bool {
        let mut queue = self.lock();
        let is_writable = queue.messages.is_empty() && !queue.is_leaving;
        let taken = is_writable && queue.push(message, Kind::Shared, self.limits).is_ok();
        drop(queue);
        if taken {
            self.wake();
        }
        taken
    }

    /// Everything that waits; what was taken before has left. Consumer only.
    pub fn take_all(&self) -> Waiting {
        self.lock().take()
    }

    /// As many messages as fit a polling payload of `payload_bytes_max`, and
    /// at least one if there is one: an oversized message still goes out.
    /// Consumer only.
    pub fn take_payload(&self, payload_bytes_max: usize) -> Waiting {
        let mut queue = self.lock();
        // The first packet has no separator before it.
        let mut room = payload_bytes_max.saturating_add(1);
        let fitting = queue
            .messages
            .iter()
            .take_while(|message| {
                let fits = message.polling_bytes() <= room;
                room = room.saturating_sub(message.polling_bytes());
                fits
            })
            .count();
        let mut taken = std::mem::take(&mut queue.messages);
        if fitting < taken.len() {
            queue.messages = taken.drain(fitting.max(1)..).collect();
        }
        let held = taken.iter().map(|message| held_bytes(message.websocket())).sum();
        queue.bytes = queue.bytes.saturating_sub(held);
        // What was taken came first, whatever it was: never too little is left.
        queue.shared_bytes = queue.shared_bytes.min(queue.bytes);
        queue.leaving_bytes = 0;
        queue.is_leaving = false;
        taken
    }

    /// What waits or is on its way, in held bytes.
    pub fn bytes(&self) -> usize {
        let queue = self.lock();
        queue.bytes + queue.leaving_bytes
    }

    /// What waits and has not been taken.
    pub fn backlog(&self) -> Backlog {
        let queue = self.lock();
        let first = queue.messages.first().map_or(0, |message| held_bytes(message.websocket()));
        Backlog { bytes: queue.bytes, behind_first_bytes: queue.bytes.saturating_sub(first) }
    }

    pub fn is_empty(&self) -> bool {
        self.lock().messages.is_empty()
    }

    /// Whether enough waits that it is time to stop producing for it what can
    /// wait.
    pub fn is_crowded(&self) -> bool {
        let queue = self.lock();
        queue.messages.len() > self.limits.messages_max as usize / 2
            || queue.bytes > self.limits.crowded_bytes as usize
    }

    /// Whether a push found no room; then the outbox is dead.
    pub fn has_overflown(&self) -> bool {
        self.lock().state == State::Overflown
    }

    /// Ready when something waits or the outbox has overflown. Registers the
    /// consumer for every later [`Outbox::push`] and [`Outbox::wake`] in any
    /// case. Consumer only.
    pub fn poll_ready(&self, context: &mut Context<'_>) -> Poll<()> {
        self.consumer.register(context.waker());
        let queue = self.lock();
        if queue.messages.is_empty() && queue.state != State::Overflown {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    }

    /// Wakes the consumer without a message: something else changed for it.
    pub fn wake(&self) {
        self.consumer.wake();
    }

    /// Refuses everything from now on and forgets what waits.
    pub fn close(&self) {
        let mut queue = self.lock();
        queue.state = State::Closed;
        queue.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // No code panics while it holds the lock; if it did, the queue is still whole.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("messages", &self.messages.len())
            .field("bytes", &self.bytes)
            .field("leaving_bytes", &self.leaving_bytes)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Queue {
    fn push(
        &mut self,
        message: Encoded,
        kind: Kind,
        limits: OutboxLimits,
    ) -> Result<(), OutboxFull> {
        if self.state != State::Open {
            return Err(OutboxFull);
        }
        // What waits is measured before the message is added: a snapshot of a
        // large session may be larger than all that may wait.
        let is_full = limits.messages_max as usize <= self.messages.len()
            || (kind == Kind::Shared && limits.bytes_max as usize <= self.shared_bytes);
        if is_full {
            self.state = State::Overflown;
            self.clear();
            return Err(OutboxFull);
        }
        let bytes = held_bytes(message.websocket());
        self.bytes += bytes;
        if kind == Kind::Shared {
            self.shared_bytes += bytes;
        }
        self.messages.push(message);
        Ok(())
    }

    /// What waits is on its way, and what was is there.
    fn take(&mut self) -> Waiting {
        self.leaving_bytes = self.bytes;
        self.is_leaving = !self.messages.is_empty();
        self.bytes = 0;
        self.shared_bytes = 0;
        std::mem::take(&mut self.messages)
    }

    fn forget_waiting(&mut self) {
        if self.messages.spilled() {
            self.messages = Waiting::new();
        } else {
            self.messages.clear();
        }
        self.bytes = 0;
        self.shared_bytes = 0;
    }

    fn clear(&mut self) {
        self.forget_waiting();
        self.leaving_bytes = 0;
        self.is_leaving = false;
        self.wire = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbox(messages_max: u32, bytes_max: u32) -> Outbox {
        Outbox::new(OutboxLimits { messages_max, bytes_max, crowded_bytes: bytes_max / 2 })
    }

    #[test]
    fn messages_leave_in_order_and_all_at_once() {
        let outbox = outbox(10, 1_000);
        for text in ["a", "b", "c"] {
            outbox.push(Encoded::message(text)).expect("room");
        }
        let taken = outbox.take_all();
        assert_eq!(taken[..], ["a", "b", "c"].map(Encoded::message));
        assert!(outbox.is_empty());
    }

    #[test]
    fn the_message_too_many_kills_the_outbox() {
        let outbox = outbox(2, 1_000);
        outbox.push(Encoded::PING).expect("room");
        outbox.push(Encoded::PING).expect("room");
        assert_eq!(outbox.push(Encoded::PING), Err(OutboxFull));
        assert!(outbox.has_overflown());
        assert!(outbox.take_all().is_empty());
        assert_eq!(outbox.push(Encoded::PING), Err(OutboxFull));
    }

    #[test]
    fn bytes_are_limited_too() {
        let outbox = outbox(100, 10);
        outbox.push(Encoded::message("1234567")).expect("nothing waits");
        assert_eq!(outbox.push(Encoded::PING), Err(OutboxFull));
    }

    #[test]
    fn one_message_of_any_size_fits() {
        let outbox = outbox(100, 10);
        outbox.push(Encoded::PING).expect("room");
        outbox.push(Encoded::message(&"x".repeat(1_000))).expect("less than the limit waits");
        assert_eq!(outbox.push(Encoded::PING), Err(OutboxFull));
    }

    #[test]
    fn answers_do_not_overflow_it_but_crowd_it() {
        let outbox = outbox(100, 10);
        for _ in 0..3 {
            outbox.push_answer(Encoded::message(&"x".repeat(1_000))).expect("asked for");
        }
        assert!(outbox.is_crowded());
        outbox.push(Encoded::PING).expect("nothing of the room waits");
        outbox.take_all();
        assert!(!outbox.is_crowded());
    }

    #[test]
    fn a_payload_takes_what_fits_and_at_least_one() {
        let outbox = outbox(100, 1_000);
        for text in ["aaaa", "bbbb", "cccc"] {
            outbox.push(Encoded::message(text)).expect("room");
        }
        // `4aaaa` is five bytes, and a separator stands between two.
        assert_eq!(outbox.take_payload(11)[..], ["aaaa", "bbbb"].map(Encoded::message));
        assert_eq!(outbox.take_payload(2)[..], ["cccc"].map(Encoded::message));
        assert!(outbox.take_payload(2).is_empty());
    }

    #[test]
    fn what_was_taken_counts_until_the_next_time() {
        let outbox = outbox(10, 10_000);
        let message = Encoded::message("hello");
        let held = held_bytes(message.websocket());
        outbox.push(message.clone()).expect("room");
        outbox.push(message.clone()).expect("room");
        let backlog = Backlog { bytes: 2 * held, behind_first_bytes: held };
        assert_eq!(outbox.backlog(), backlog);
        outbox.take_all();
        assert_eq!((outbox.bytes(), outbox.backlog().bytes), (2 * held, 0));
        assert!(!outbox.push_volatile(message), "it would wait");
        outbox.take_all();
        assert_eq!(outbox.bytes(), 0);
    }

    #[test]
    fn a_small_message_holds_its_whole_buffer_and_a_constant_nothing() {
        assert_eq!(held_bytes(Encoded::PING.websocket()), 0);
        assert_eq!(held_bytes(Encoded::message("x").websocket()), 256 + 96);
        assert_eq!(held_bytes(Encoded::message(&"x".repeat(300)).websocket()), 512 + 96);
        assert_eq!(held_bytes(Encoded::message(&"x".repeat(1_995)).websocket()), 2_000 + 96);
    }

    /// Takes what it is told to take, and says what.
    #[derive(Default)]
    struct FakeWire {
        takes: Mutex<Option<Offered>>,
        taken: Mutex<Vec<Encoded>>,
    }

    impl Wire for FakeWire {
        fn offer(&self, messages: &[Encoded]) -> Offered {
            let takes = self.takes.lock().expect("no test panics").unwrap_or(Offered::Sent);
            if takes != Offered::Refused {
                self.taken.lock().expect("no test panics").extend(messages.to_vec());
            }
            takes
        }
    }

    #[test]
    fn what_was_queued_leaves_past_a_consumer_that_is_at_rest() {
        let (outbox, wire) = (outbox(10, 10_000), Arc::new(FakeWire::default()));
        let [first, second, third] = ["a", "b", "c"].map(Encoded::message);
        outbox.queue(first.clone()).expect("room");
        outbox.flush();
        assert_eq!(outbox.take_all()[..], [first], "there is no wire yet");
        outbox.attach(Arc::clone(&wire) as Arc<dyn Wire>);
        outbox.queue(second.clone()).expect("room");
        outbox.flush();
        assert_eq!(wire.taken.lock().expect("no test panics").len(), 0, "one is on its way");
        assert_eq!(outbox.take_all()[..], [second]);
        assert!(outbox.take_all().is_empty(), "it has left");

        outbox.queue(third.clone()).expect("room");
        outbox.queue_answer(third.clone()).expect("room");
        outbox.flush();
        assert_eq!(wire.taken.lock().expect("no test panics")[..], [third.clone(), third.clone()]);
        assert_eq!((outbox.bytes(), outbox.is_empty()), (0, true));

        *wire.takes.lock().expect("no test panics") = Some(Offered::Refused);
        outbox.queue(third.clone()).expect("room");
        outbox.flush();
        assert_eq!(outbox.take_all().into_vec(), vec![third.clone()]);
        outbox.take_all();

        *wire.takes.lock().expect("no test panics") = Some(Offered::Begun);
        outbox.queue(third.clone()).expect("room");
        outbox.flush();
        let held = held_bytes(third.websocket());
        assert_eq!((outbox.bytes(), outbox.is_empty()), (held, true), "the rest is on its way");
        outbox.queue(third.clone()).expect("room");
        outbox.flush();
        assert_eq!(wire.taken.lock().expect("no test panics").len(), 3, "nothing overtakes it");
        assert_eq!(outbox.take_all()[..], [third]);
    }

    #[test]
    fn a_closed_outbox_lets_go_of_the_wire() {
        let (outbox, wire) = (outbox(1, 10_000), Arc::new(FakeWire::default()));
        outbox.attach(Arc::clone(&wire) as Arc<dyn Wire>);
        outbox.close();
        outbox.attach(Arc::clone(&wire) as Arc<dyn Wire>);
        assert_eq!(Arc::strong_count(&wire), 1);
    }

    #[test]
    fn a_volatile_message_gives_way() {
        let outbox = outbox(10, 1_000);
        assert!(outbox.push_volatile(Encoded::NOOP));
        assert!(!outbox.push_volatile(Encoded::NOOP));
        outbox.close();
        assert!(!outbox.push_volatile(Encoded::NOOP));
        assert!(!outbox.has_overflown());
    }
}
