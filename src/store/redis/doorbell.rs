//! What an instance hears by pub/sub: it rings when others commit.
//!
//! A doorbell is `b` and `epoch:version:nonce:origin`: the position that a
//! log has reached and who brought it there, and nothing of what was
//! committed. With an `r` it says that a session that was lost was put back
//! as of that position. A whisper is `w` and an event. Either may be lost: after every
//! subscription, and every [`HEAD_CHECK_EVERY`], the heads of the logs are
//! compared with what the subscribers were told.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use redis::{PushKind, Value, cmd};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tracing::{debug, info, warn};

use crate::poker::ids::Millis;
use crate::store::codec::{decode_event, encode_event};
use crate::store::contract::{Position, StoreError};
use crate::store::redis::clock::ServerClock;
use crate::store::redis::ears::Heard;
use crate::store::redis::link::Link;
use crate::store::redis::reply::{broken, head_reply, number};
use crate::store::redis::{Inner, jitter};

/// How long a lost doorbell can go unnoticed, and how often the time is asked.
const HEAD_CHECK_EVERY: Duration = Duration::from_millis(1_500);
/// Sessions in one pipeline of the head check.
const HEADS_PER_PIPELINE: usize = 256;
/// Between two attempts to subscribe, plus up to as much again.
const RESUBSCRIBE_DELAY: Duration = Duration::from_millis(100);

/// What a channel carries.
pub(super) enum Push {
    Bell {
        position: Position,
        origin: u64,
    },
    /// The session was lost, and put back as of this position.
    News {
        position: Position,
    },
    Whisper(Box<crate::poker::event::Event>),
}

pub(super) fn bell(position: Position, origin: u64) -> String {
    let Position { epoch, version, nonce } = position;
    format!("b{epoch}:{version}:{nonce}:{origin}")
}

pub(super) fn news(position: Position, origin: u64) -> String {
    bell(position, origin).replacen('b', "r", 1)
}

pub(super) fn whisper(event: &crate::poker::event::Event) -> Vec<u8> {
    let mut payload = vec![b'w'];
    payload.extend(encode_event(event));
    payload
}

fn parse(payload: &[u8]) -> Option<Push> {
    let (kind, rest) = payload.split_first()?;
    match kind {
        b'b' | b'r' => {
            let mut numbers = rest.split(|byte| *byte == b':').map(|digits| number(digits).ok());
            let mut next = || numbers.next().flatten();
            let position = Position { epoch: next()?, version: next()?, nonce: next()? };
            let origin = next()?;
            Some(match kind {
                b'b' => Push::Bell { position, origin },
                _ => Push::News { position },
            })
        }
        b'w' => decode_event(rest).ok().map(|event| Push::Whisper(Box::new(event))),
        _ => None,
    }
}

/// Runs until it is aborted.
pub(super) async fn listen(inner: Arc<Inner>, mut waiting: mpsc::Receiver<Heard>) {
    let mut changes = inner.link.changes();
    let mut ticks = interval(HEAD_CHECK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_whole = true;
    loop {
        let wake = tokio::select! {
            heard = waiting.recv() => Wake::Heard(heard),
            Ok(()) = changes.changed() => Wake::Settle,
            _ = ticks.tick() => Wake::Tick,
            // Not all instances at the same moment.
            () = sleep(RESUBSCRIBE_DELAY + RESUBSCRIBE_DELAY.mul_f64(jitter())), if !is_whole => {
                Wake::Settle
            }
        };
        let is_settled = match wake {
            Wake::Heard(None) => return,
            Wake::Heard(Some(heard)) => take(&inner, heard),
            Wake::Settle => false,
            Wake::Tick => {
                tick(&inner).await;
                false
            }
        };
        if !is_settled {
            let was_whole = is_whole;
            is_whole = settle(&inner).await;
            match (was_whole, is_whole) {
                (true, false) => warn!("redis: some sessions are not heard of"),
                (false, true) => info!("redis: all sessions are heard of again"),
                _ => {}
            }
        }
    }
}

enum Wake {
    Heard(Option<Heard>),
    Settle,
    Tick,
}

/// Subscribes what is not subscribed where it should be; whether all is.
async fn settle(inner: &Arc<Inner>) -> bool {
    let (settled, result) = inner.ears.settle(inner.channels.ids()).await;
    // What happened in between was not heard.
    settled.into_iter().for_each(|id| inner.doubt(id));
    if let Err(error) = &result {
        debug!(%error, "redis: cannot subscribe");
    }
    result.is_ok()
}

async fn tick(inner: &Arc<Inner>) {
    if inner.ears.overflowed() {
        inner.channels.ids().into_iter().for_each(|id| inner.doubt(id));
    }
    unsubscribe_idle(inner).await;
    for serial in inner.ears.probe().await {
        inner.ears.lost(serial);
    }
    // When commands fail, those who send them say so.
    check_heads(inner).await;
}

/// One push; whether all is subscribed as it was.
fn take(inner: &Arc<Inner>, Heard { serial, push }: Heard) -> bool {
    match push.kind {
        PushKind::SMessage => hear(inner, &push.data),
        PushKind::Disconnection => return !inner.ears.lost(serial),
        // The slot has moved away. The library took this for the answer to
        // something else, so that the connection is of no use any more.
        PushKind::SUnsubscribe => {
            let channel = push.data.first().and_then(|value| match value {
                Value::BulkString(channel) => inner.keys.session_of_channel(channel),
                _ => None,
            });
            if channel.is_some_and(|id| inner.ears.has(id, serial)) {
                inner.link.doubt();
                return !inner.ears.lost(serial);
            }
        }
        _ => {}
    }
    true
}

fn hear(inner: &Arc<Inner>, data: &[Value]) {
    let [Value::BulkString(channel), Value::BulkString(payload)] = data else { return };
    let Some(id) = inner.keys.session_of_channel(channel) else { return };
    match parse(payload) {
        Some(Push::Bell { position, origin }) => inner.ring(id, position, origin),
        Some(Push::News { position }) => inner.put_back(id, position),
        Some(Push::Whisper(event)) => inner.channels.whisper(id, *event),
        // A newer version's; what it commits is found by its position.
        None => inner.doubt(id),
    }
}

/// Lets go of the channels without subscribers.
async fn unsubscribe_idle(inner: &Inner) {
    for id in inner.channels.sweep() {
        // If it fails, the connection does not live either.
        let _ = inner.ears.unsubscribe(id).await;
        if inner.channels.has(id) {
            // Somebody came back in between.
            let _ = inner.ears.subscribe(id).await;
        }
    }
}

/// Asks for the time, and for the heads of all logs that are followed here.
async fn check_heads(inner: &Arc<Inner>) {
    if let Err(error) = ask_time(&inner.link, &inner.clock).await {
        debug!(%error, "redis: no time");
    }
    for chunk in inner.channels.ids().chunks(HEADS_PER_PIPELINE) {
        let mut pipeline = redis::pipe();
        for id in chunk {
            pipeline.add_command(inner.head_command(*id));
        }
        let replies = inner.link.each("head check", &pipeline).await;
        for (id, reply) in chunk.iter().zip(replies) {
            match reply.and_then(head_reply) {
                Ok(head) => inner.compare(*id, head),
                // It is asked again the next time.
                Err(error) => debug!(session.id = %id, %error, "redis: no head"),
            }
        }
    }
}

/// The time is that of the node that is ahead, so that all instances have the
/// same.
pub(super) async fn ask_time(link: &Link, clock: &ServerClock) -> Result<(), StoreError> {
    let asked = Instant::now();
    let question = cmd("TIME");
    let primaries = link.primaries()?;
    let answers = join_all(primaries.iter().map(|node| node.ask("TIME", &question))).await;
    let mut latest = None;
    let mut last = Err(broken("no time"));
    for answer in answers {
        match answer {
            Ok(answer) => latest = latest.max(time(&answer)),
            Err(error) => last = Err(error),
        }
    }
    let Some(latest) = latest else { return last };
    clock.hear(latest, asked.elapsed());
    Ok(())
}

/// The reply to TIME: seconds and microseconds.
fn time(reply: &Value) -> Option<Millis> {
    let Value::Array(parts) = reply else { return None };
    let [Value::BulkString(seconds), Value::BulkString(micros)] = parts.as_slice() else {
        return None;
    };
    let (seconds, micros) = (number(seconds).ok()?, number(micros).ok()?);
    Some(Millis::from_secs(seconds).add_ms(micros / 1_000))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::poker::event::{Event, Fact};
    use crate::poker::ids::PlayerId;

    #[test]
    fn a_doorbell_names_a_position_and_nothing_else() {
        let position = Position { epoch: 1, version: 22, nonce: 333 };
        let payload = bell(position, 4);
        assert_eq!(payload, "b1:22:333:4");
        let Some(Push::Bell { position: parsed, origin: 4 }) = parse(payload.as_bytes()) else {
            panic!("a doorbell");
        };
        assert_eq!(parsed, position);
        let news = news(position, 4);
        assert!(
            matches!(parse(news.as_bytes()), Some(Push::News { position: p }) if p == position)
        );
    }

    #[test]
    fn a_whisper_is_an_event() {
        let fact = Fact::Reacted {
            player: PlayerId::from_random([1; 16]),
            emoji: "🎉".parse().unwrap(),
        };
        let event = Event { at: Millis(1), seq: 2, by: None, request: None, fact };
        assert!(matches!(parse(&whisper(&event)), Some(Push::Whisper(heard)) if *heard == event));
        for strange in [&b""[..], b"b", b"b1:2", b"b1:2:3:x", b"r1:2", b"w", b"w\x01\xFF", b"x"] {
            assert!(parse(strange).is_none());
        }
    }
}
