//! A client made of packets that remembers every word it has heard.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::support::eio::{join_websocket, say, see_text};
use crate::support::raw_ws::RawWs;

/// The machine of a test may be busy.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) struct Witness {
    pub(super) socket: RawWs,
    asked: u32,
    /// Every packet of Socket.IO since the connect, as it came.
    pub(super) heard: Vec<String>,
    /// How much of it `hears` has passed over.
    passed: usize,
}

impl Witness {
    pub(super) async fn at(server: SocketAddr) -> Self {
        let socket = join_websocket(server).await;
        Self { socket, asked: 0, heard: Vec::new(), passed: 0 }
    }

    /// The acknowledgement of an event.
    pub(super) async fn ask(&mut self, event: &str, payload: Value) -> Value {
        self.ask_raw(&json!([event, payload]).to_string()).await
    }

    /// The same, of an array as it stands.
    pub(super) async fn ask_raw(&mut self, array: &str) -> Value {
        self.asked += 1;
        let answer = format!("43{}[", self.asked);
        say(&mut self.socket, &format!("42{}{array}", self.asked)).await;
        loop {
            let packet = self.next().await;
            if let Some(body) = packet.strip_prefix(&answer).and_then(|rest| rest.strip_suffix(']'))
            {
                return serde_json::from_str(body).expect("an acknowledgement is JSON");
            }
        }
    }

    /// The acknowledgement of an event that goes well.
    pub(super) async fn does(&mut self, event: &str, payload: Value) -> Value {
        let answer = self.ask(event, payload).await;
        assert_eq!(answer["ok"], true, "{event}: {answer}");
        answer
    }

    /// The code with which an event is refused.
    pub(super) async fn is_refused(&mut self, event: &str, payload: Value) -> String {
        let answer = self.ask(event, payload).await;
        assert_eq!(answer["ok"], false, "{event}: {answer}");
        answer["error"]["code"].as_str().expect("a code").to_owned()
    }

    /// The next event of that name since the last one that was looked at.
    pub(super) async fn hears(&mut self, event: &str) -> Value {
        loop {
            while let Some(packet) = self.heard.get(self.passed) {
                self.passed += 1;
                let Some(array) = packet.strip_prefix("42") else { continue };
                let array: Value = serde_json::from_str(array).expect("an event is JSON");
                if array[0] == event {
                    return array[1].clone();
                }
            }
            self.next().await;
        }
    }

    /// Every JSON value that it was told.
    pub(super) fn payloads(&self) -> Vec<Value> {
        let json = |packet: &String| packet.find(['[', '{']).map(|at| packet[at..].to_owned());
        let read = |text: String| serde_json::from_str(&text).expect("packets carry JSON");
        self.heard.iter().filter_map(json).map(read).collect()
    }

    async fn next(&mut self) -> String {
        loop {
            let text = timeout(PATIENCE, see_text(&mut self.socket)).await.expect("in time");
            match text.as_str() {
                "2" => say(&mut self.socket, "3").await,
                _ => {
                    self.heard.push(text.clone());
                    return text;
                }
            }
        }
    }
}

/// Ann opens a session; her acknowledgement.
pub(super) async fn hosted(server: SocketAddr) -> (Witness, Value) {
    let mut ann = Witness::at(server).await;
    let created = ann.does("session:create", json!({"name": "Sprint", "playerName": "Ann"})).await;
    (ann, created)
}

/// Somebody takes a seat there; the acknowledgement.
pub(super) async fn joined(server: SocketAddr, created: &Value, name: &str) -> (Witness, Value) {
    let mut guest = Witness::at(server).await;
    let join = json!({"sessionId": created["sessionId"], "playerName": name});
    let joined = guest.does("session:join", join).await;
    (guest, joined)
}

pub(super) fn vote(value: &str) -> Value {
    json!({"storyId": "s1", "value": value})
}
