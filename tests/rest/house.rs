//! A whole server, and its guests over HTTP.

use std::net::{Ipv4Addr, SocketAddr};

use serde_json::{Value, json};

use cardroom::clock::Clock;
use cardroom::config::Config;
use cardroom::server::{Instance, Stores};
use cardroom::shutdown::{Shutdown, Trigger};
use cardroom::store::MemoryStore;

use crate::support::http::{Answer, ask};

pub(super) struct House {
    pub(super) address: SocketAddr,
    _shutdown: Trigger,
}

impl House {
    pub(super) fn open() -> Self {
        Self::with(|_| {})
    }

    pub(super) fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        config.server.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        change(&mut config);
        let store = MemoryStore::new(Clock::system(), config.limits.sessions_max);
        let instance = Instance::start(&config, Stores::of(store)).expect("a free port");
        let address = instance.address().expect("it listens");
        let (shutdown, told) = Shutdown::channel();
        tokio::spawn(instance.run(told));
        Self { address, _shutdown: shutdown }
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        ask(self.address, "GET", path, &[], b"").await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, &[], body).await
    }

    /// With a JSON body.
    pub(super) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> Answer {
        let mut all = vec![("Content-Type", "application/json")];
        all.extend_from_slice(headers);
        ask(self.address, method, path, &all, body.to_string().as_bytes()).await
    }

    /// As the holder of a token.
    pub(super) async fn by(&self, token: &str, method: &str, path: &str, body: Value) -> Answer {
        let bearer = format!("Bearer {token}");
        self.send(method, path, &[("Authorization", &bearer)], body).await
    }

    /// A session with these settings.
    pub(super) async fn session(&self, body: Value) -> Opened {
        let answer = self.post("/api/v1/sessions", body).await;
        let body = value(&answer, 201);
        let text = |name: &str| body[name].as_str().expect("text").to_owned();
        Opened {
            id: text("sessionId"),
            code: text("code"),
            host: text("hostPlayerId"),
            host_token: text("hostToken"),
        }
    }

    /// The token of a new seat.
    pub(super) async fn guest(&self, session: &Opened, name: &str) -> String {
        let answer = self.post(&session.path("/join"), json!({ "playerName": name })).await;
        value(&answer, 200)["playerToken"].as_str().expect("a token").to_owned()
    }
}

pub(super) struct Opened {
    pub(super) id: String,
    pub(super) code: String,
    pub(super) host: String,
    pub(super) host_token: String,
}

impl Opened {
    pub(super) fn path(&self, rest: &str) -> String {
        format!("/api/v1/sessions/{}{rest}", self.id)
    }
}

/// The body of an answer of this status.
pub(super) fn value(answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{}", answer.body());
    serde_json::from_str(answer.body()).expect("JSON")
}

/// The document of a problem of this status and code.
pub(super) fn problem(answer: &Answer, status: u16, code: &str) -> Value {
    let body = value(answer, status);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(body["code"], code, "{body}");
    assert_eq!(body["status"], status);
    body
}
