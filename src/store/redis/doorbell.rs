//! The pub/sub connection of an instance: rings when others commit.
//!
//! A doorbell is `b` and `epoch:version:nonce:origin`: the position that a
//! log has reached and who brought it there, and nothing of what was
//! committed. A whisper is `w` and an event. Either may be lost: after every
//! reconnect, and every [`HEAD_CHECK_EVERY`], the heads of all logs are
//! compared with what the subscribers were told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, PushInfo, PushKind, Value, cmd};
use tokio::sync::mpsc;
use tokio::sync::oneshot;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tracing::{debug, info, warn};

use crate::poker::ids::{Millis, SessionId};
use crate::store::codec::{decode_event, encode_event};
use crate::store::contract::{Position, StoreError};
use crate::store::redis::link::within;
use crate::store::redis::reply::{head_reply, number};
use crate::store::redis::{Inner, jitter};

/// Pushes that may wait; if more come, all sessions are looked at instead.
const PUSHES_WAITING_MAX: usize = 4_096;
/// How long a lost doorbell can go unnoticed, and how often the time is asked.
const HEAD_CHECK_EVERY: Duration = Duration::from_millis(1_500);
/// Sessions in one pipeline of the head check.
const HEADS_PER_PIPELINE: usize = 256;
/// Between two attempts to connect, plus up to as much again.
const RECONNECT_DELAY: Duration = Duration::from_millis(100);

/// What a channel carries.
pub(super) enum Push {
    Bell { position: Position, origin: u64 },
    Whisper(Box<crate::poker::event::Event>),
}

pub(super) fn bell(position: Position, origin: u64) -> String {
    let Position { epoch, version, nonce } = position;
    format!("b{epoch}:{version}:{nonce}:{origin}")
}

pub(super) fn whisper(event: &crate::poker::event::Event) -> Vec<u8> {
    let mut payload = vec![b'w'];
    payload.extend(encode_event(event));
    payload
}

fn parse(payload: &[u8]) -> Option<Push> {
    let (kind, rest) = payload.split_first()?;
    match kind {
        b'b' => {
            let mut numbers = rest.split(|byte| *byte == b':').map(|digits| number(digits).ok());
            let mut next = || numbers.next().flatten();
            let position = Position { epoch: next()?, version: next()?, nonce: next()? };
            Some(Push::Bell { position, origin: next()? })
        }
        b'w' => decode_event(rest).ok().map(|event| Push::Whisper(Box::new(event))),
        _ => None,
    }
}

/// Runs until it is aborted. `ready` hears of the first connection.
pub(super) async fn listen(
    inner: Arc<Inner>,
    client: Client,
    ready: oneshot::Sender<Result<(), StoreError>>,
) {
    let mut ready = Some(ready);
    loop {
        let (pushes, mut waiting) = mpsc::channel(PUSHES_WAITING_MAX);
        let overflow = Arc::new(AtomicBool::new(false));
        match connect(&inner, &client, pushes, Arc::clone(&overflow)).await {
            Ok(connection) => {
                inner.set_pubsub(Some(connection.clone()));
                if let Some(ready) = ready.take() {
                    let _ = ready.send(Ok(()));
                } else {
                    info!("redis: pub/sub is back");
                }
                let error = serve(&inner, &connection, &mut waiting, &overflow).await;
                inner.set_pubsub(None);
                warn!(%error, "redis: pub/sub lost");
            }
            Err(error) => match ready.take() {
                Some(ready) => {
                    let _ = ready.send(Err(error));
                    return;
                }
                // It was said once that it is lost.
                None => debug!(%error, "redis: no pub/sub"),
            },
        }
        // Not all instances at the same moment.
        sleep(RECONNECT_DELAY + RECONNECT_DELAY.mul_f64(jitter())).await;
    }
}

async fn connect(
    inner: &Inner,
    client: &Client,
    pushes: mpsc::Sender<PushInfo>,
    overflow: Arc<AtomicBool>,
) -> Result<MultiplexedConnection, StoreError> {
    let sender = move |push: PushInfo| match pushes.try_send(push) {
        Err(mpsc::error::TrySendError::Full(_)) => {
            overflow.store(true, Ordering::Relaxed);
            Ok(())
        }
        result => result.map_err(drop),
    };
    let limit = inner.options.connect_timeout;
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(limit))
        .set_response_timeout(Some(inner.options.command_timeout))
        .set_push_sender(sender);
    let connecting = client.get_multiplexed_async_connection_with_config(&config);
    within(limit, "connect for pub/sub", connecting).await
}

/// Listens until the connection ends; returns why.
async fn serve(
    inner: &Arc<Inner>,
    connection: &MultiplexedConnection,
    waiting: &mut mpsc::Receiver<PushInfo>,
    overflow: &AtomicBool,
) -> StoreError {
    let ended = || StoreError::Unavailable("pub/sub: the connection ended".to_owned());
    for id in inner.channels.ids() {
        if let Err(error) = subscribe(inner, connection, id).await {
            return error;
        }
        inner.doubt(id);
    }
    let mut ticks = interval(HEAD_CHECK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            push = waiting.recv() => match push {
                Some(push) if push.kind == PushKind::SMessage => hear(inner, &push.data),
                Some(push) if push.kind == PushKind::Disconnection => return ended(),
                Some(_) => {}
                None => return ended(),
            },
            _ = ticks.tick() => {
                if overflow.swap(false, Ordering::Relaxed) {
                    inner.channels.ids().into_iter().for_each(|id| inner.doubt(id));
                }
                if let Err(error) = unsubscribe_idle(inner, connection).await {
                    return error;
                }
                // When commands fail, those who send them say so.
                let _ = check_heads(inner).await;
            }
        }
    }
}

fn hear(inner: &Arc<Inner>, data: &[Value]) {
    let [Value::BulkString(channel), Value::BulkString(payload)] = data else { return };
    let Some(id) = inner.keys.session_of_channel(channel) else { return };
    match parse(payload) {
        Some(Push::Bell { position, origin }) => inner.ring(id, position, origin),
        Some(Push::Whisper(event)) => inner.channels.whisper(id, *event),
        // A newer version's; what it commits is found by its position.
        None => inner.doubt(id),
    }
}

pub(super) async fn subscribe(
    inner: &Inner,
    connection: &MultiplexedConnection,
    id: SessionId,
) -> Result<(), StoreError> {
    send(inner, connection, "SSUBSCRIBE", Some(id)).await
}

/// Lets go of the channels without subscribers; also tells whether the
/// connection lives.
async fn unsubscribe_idle(
    inner: &Inner,
    connection: &MultiplexedConnection,
) -> Result<(), StoreError> {
    for id in inner.channels.sweep() {
        send(inner, connection, "SUNSUBSCRIBE", Some(id)).await?;
        if inner.channels.has(id) {
            // Somebody came back in between.
            subscribe(inner, connection, id).await?;
        }
    }
    send(inner, connection, "PING", None).await
}

async fn send(
    inner: &Inner,
    connection: &MultiplexedConnection,
    name: &'static str,
    session: Option<SessionId>,
) -> Result<(), StoreError> {
    let mut connection = connection.clone();
    let mut command = cmd(name);
    if let Some(id) = session {
        command.arg(inner.keys.channel(id));
    }
    let sending = command.query_async::<Value>(&mut connection);
    within(inner.options.command_timeout, name, sending).await.map(drop)
}

/// Asks for the time, and for the heads of all logs that are followed here.
async fn check_heads(inner: &Arc<Inner>) -> Result<(), StoreError> {
    let ids = inner.channels.ids();
    let mut chunks = ids.chunks(HEADS_PER_PIPELINE);
    let first = chunks.next().unwrap_or_default();
    for chunk in std::iter::once(first).chain(chunks) {
        let mut pipeline = redis::pipe();
        pipeline.cmd("TIME");
        for id in chunk {
            pipeline.add_command(inner.head_command(*id));
        }
        let asked = Instant::now();
        let mut replies = inner.link.pipeline("head check", &pipeline).await?.into_iter();
        if let Some(time) = replies.next().as_ref().and_then(time) {
            inner.clock.hear(time, asked.elapsed());
        }
        for (id, reply) in chunk.iter().zip(replies) {
            if let Ok(Some(head)) = head_reply(reply) {
                inner.ring(*id, head, 0);
            }
        }
    }
    Ok(())
}

/// The reply to TIME: seconds and microseconds.
pub(super) fn time(reply: &Value) -> Option<Millis> {
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
    }

    #[test]
    fn a_whisper_is_an_event() {
        let fact = Fact::Reacted {
            player: PlayerId::from_random([1; 16]),
            emoji: "🎉".parse().unwrap(),
        };
        let event = Event { at: Millis(1), seq: 2, by: None, request: None, fact };
        assert!(matches!(parse(&whisper(&event)), Some(Push::Whisper(heard)) if *heard == event));
        for strange in [&b""[..], b"b", b"b1:2", b"b1:2:3:x", b"w", b"w\x01\xFF", b"x"] {
            assert!(parse(strange).is_none());
        }
    }
}
