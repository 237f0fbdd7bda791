//! How an instance that goes away lets go of what it relays.

use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderName, HeaderValue, Request};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::transport::relay::dial::Bound;
use crate::transport::relay::{SEAL, Unanswered, headers};

/// On a sealed request: no poll, but the wish that the one which waits be
/// answered now, because who relays it goes away.
pub const NUDGE: HeaderName = HeaderName::from_static("cardroom-relay-nudge");

/// How long a relayed poll may wait at an instance that goes away. The next
/// one finds another instance, once the load balancer has noticed.
const POLL_MAX: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy)]
enum State {
    Staying,
    Leaving { spread: Duration },
    Gone,
}

#[derive(Debug)]
pub(super) struct Leaving(watch::Sender<State>);

impl Leaving {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(State::Staying))
    }

    pub(super) fn begin(&self, spread: Duration) {
        self.0.send_replace(State::Leaving { spread });
    }

    pub(super) fn end(&self) {
        self.0.send_replace(State::Gone);
    }

    pub(super) fn is_staying(&self) -> bool {
        matches!(*self.0.borrow(), State::Staying)
    }

    /// Returns when nothing is relayed any more.
    pub(super) async fn ended(&self) {
        let mut states = self.0.subscribe();
        let _ = states.wait_for(|state| matches!(state, State::Gone)).await;
    }

    /// Returns when a poll has waited for long enough at an instance that
    /// goes away.
    pub(super) async fn poll_is_over(&self) {
        let mut states = self.0.subscribe();
        let _ = states.wait_for(|state| !matches!(state, State::Staying)).await;
        sleep(POLL_MAX).await;
    }

    /// Returns when one WebSocket has to end: each at a moment of its own.
    pub(super) fn moment(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut states = self.0.subscribe();
        async move {
            let spread = match states.wait_for(|state| !matches!(state, State::Staying)).await {
                Ok(state) => match *state {
                    State::Leaving { spread } => spread,
                    State::Staying | State::Gone => Duration::ZERO,
                },
                Err(_) => Duration::ZERO,
            };
            let share = f64::from(getrandom::u32().unwrap_or_default()) / f64::from(u32::MAX);
            tokio::select! {
                () = sleep(spread.mul_f64(share)) => {}
                _ = states.wait_for(|state| matches!(state, State::Gone)) => {}
            }
        }
    }
}

/// What makes the owner answer a poll.
pub(super) struct Nudge(Request<Empty<Bytes>>);

impl Nudge {
    /// For a poll that is sealed, by the same seal.
    pub(super) fn of<B>(poll: &Request<B>) -> Self {
        let mut nudge = Request::new(Empty::new());
        *nudge.uri_mut() = headers::target_only(poll.uri());
        let named = nudge.headers_mut();
        for name in [SEAL, HOST] {
            if let Some(value) = poll.headers().get(&name) {
                named.insert(name, value.clone());
            }
        }
        named.insert(NUDGE, HeaderValue::from_static("1"));
        Self(nudge)
    }

    /// Over a connection of its own; what is answered does not matter.
    pub(super) async fn send(self, stream: TcpStream) -> Result<(), Unanswered> {
        let (mut sender, driver) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|_| Unanswered::Lost)?;
        let _driver = Bound(tokio::spawn(async move {
            let _ = driver.await;
        }));
        sender.send_request(self.0).await.map(drop).map_err(|_| Unanswered::Lost)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, timeout};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn websockets_end_one_by_one_within_the_spread() {
        const SPREAD: Duration = Duration::from_secs(10);
        let leaving = Leaving::new();
        let mut moments: Vec<_> = (0..200).map(|_| Box::pin(leaving.moment())).collect();
        assert!(timeout(SPREAD, &mut moments[0]).await.is_err(), "nobody goes yet");
        let begun = Instant::now();
        leaving.begin(SPREAD);
        let ends = futures_util::future::join_all(moments.into_iter().map(|moment| async move {
            moment.await;
            begun.elapsed()
        }));
        let ends = ends.await;
        let early = ends.iter().filter(|end| **end < SPREAD / 2).count();
        assert!((60..140).contains(&early), "{early} of 200 in the first half");
        assert!(ends.iter().all(|end| *end <= SPREAD + Duration::from_millis(2)));
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_does_not_wait_for_the_spread() {
        let leaving = Leaving::new();
        let moment = leaving.moment();
        leaving.begin(Duration::from_secs(1_000));
        leaving.end();
        assert!(timeout(Duration::from_secs(1), moment).await.is_ok());
        assert!(timeout(Duration::from_secs(1), leaving.ended()).await.is_ok());
    }
}
