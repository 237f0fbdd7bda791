//! A client of Socket.IO over any transport, with everything that it receives
//! on a tape.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::secrecy::wire::{Failed, Http, PATIENCE, read_text, send_text, websocket};

const POLLING: &str = "/socket.io/?EIO=4&transport=polling";
const WEBSOCKET: &str = "/socket.io/?EIO=4&transport=websocket";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    Websocket,
    Polling,
    /// Polling, and then WebSocket.
    Upgrade,
}

impl Transport {
    pub(super) const ALL: [Self; 3] = [Self::Websocket, Self::Polling, Self::Upgrade];
}

/// What arrived, and in which step of the schedule.
pub(super) type Tape = Vec<(u32, String)>;

/// What a client has heard so far.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) tape: Tape,
    /// The session's `seq` as far as this client knows.
    pub(super) seq: u64,
    acks: HashMap<u32, Value>,
    /// Of the connection: its secret.
    sid: Option<String>,
    pid: Option<String>,
    offset: Option<String>,
    /// CONNECT was answered, with the private id that stands here.
    connected: Option<String>,
    pub(super) joined: Option<Value>,
    error: Option<String>,
    is_closed: bool,
}

struct Ear {
    heard: Mutex<Heard>,
    news: Notify,
    /// Of the schedule that this client takes part in.
    step: Arc<AtomicU32>,
}

impl Ear {
    fn lock(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        self.lock().is_closed = true;
        self.news.notify_waiters();
    }

    fn take(&self, packet: String) {
        self.lock().take(packet, self.step.load(Ordering::Relaxed));
        self.news.notify_waiters();
    }

    async fn until<T>(
        &self,
        what: impl std::fmt::Display,
        mut ready: impl FnMut(&mut Heard) -> Option<T>,
    ) -> Result<T, Failed> {
        let wait = async {
            loop {
                let news = self.news.notified();
                tokio::pin!(news);
                news.as_mut().enable();
                if let Some(value) = ready(&mut self.lock()) {
                    return value;
                }
                news.await;
            }
        };
        timeout(PATIENCE, wait).await.map_err(|_| format!("waited in vain for {what}"))
    }
}

impl Heard {
    fn take(&mut self, packet: String, step: u32) {
        // Heartbeats and NOOPs come when they come, and carry nothing. A
        // reaction is lost on whoever has no poll waiting at that moment.
        if packet == "2" || packet == "6" || packet.starts_with(r#"42["reaction:received""#) {
            return;
        }
        if let Some(open) = packet.strip_prefix("0{") {
            self.sid = text_of(open, "sid");
        } else if let Some(connect) = packet.strip_prefix("40{") {
            let pid = text_of(connect, "pid");
            self.connected = Some(pid.clone().unwrap_or_default());
            self.pid = pid;
        } else if packet == "41" {
            self.is_closed = true;
        } else if let Some(ack) = packet.strip_prefix("43") {
            let start = ack.find('[').unwrap_or(0);
            let body = ack[start..].trim_start_matches('[').trim_end_matches(']');
            if let (Ok(id), Ok(value)) = (ack[..start].parse(), serde_json::from_str(body)) {
                self.acks.insert(id, value);
            }
        } else if packet.starts_with("42[") {
            self.take_event(&packet);
        }
        self.tape.push((step, packet));
    }

    fn take_event(&mut self, packet: &str) {
        let seq = packet.rfind("\"seq\":").and_then(|at| {
            let digits = &packet[at + 6..];
            let end = digits.find(|c: char| !c.is_ascii_digit())?;
            digits[..end].parse().ok()
        });
        self.seq = self.seq.max(seq.unwrap_or(0));
        if let Some(offset) = offset_of(packet) {
            self.offset = Some(offset.to_owned());
        }
        if packet.starts_with(r#"42["session:joined""#) {
            let array: Option<Vec<Value>> = serde_json::from_str(&packet[2..]).ok();
            self.joined = array.and_then(|array| array.into_iter().nth(1));
        } else if packet.starts_with(r#"42["session:error""#) {
            self.error = Some(packet.to_owned());
        }
    }

    /// The last packet of this step that contains all of these.
    pub(super) fn has(&self, step: u32, parts: &[&str]) -> bool {
        self.tape
            .iter()
            .rev()
            .take_while(|(at, _)| *at == step)
            .any(|(_, packet)| parts.iter().all(|part| packet.contains(part)))
    }
}

impl Heard {
    /// Whether a countdown began in this step that is over in a moment.
    pub(super) fn has_short_countdown(&self, step: u32) -> bool {
        let recent = self.tape.iter().rev().take_while(|(at, _)| *at == step);
        let mut countdowns =
            recent.filter_map(|(_, packet)| packet.strip_prefix(r#"42["reveal:countdown","#));
        countdowns.any(|packet| {
            let length = packet.rfind('}').map_or(0, |end| end + 1);
            let countdown: Value = serde_json::from_str(&packet[..length]).unwrap_or(Value::Null);
            let (ends, now) = (countdown["revealAt"].as_u64(), countdown["serverTime"].as_u64());
            ends.zip(now).is_some_and(|(ends, now)| ends < now + 1_000)
        })
    }
}

/// The last argument of an event, if it is a text.
pub(super) fn offset_of(packet: &str) -> Option<&str> {
    let (_, last) = packet.strip_suffix("\"]")?.rsplit_once(",\"")?;
    (!last.contains('"')).then_some(last)
}

fn text_of(object: &str, key: &str) -> Option<String> {
    let (_, rest) = object.split_once(&format!("\"{key}\":\""))?;
    Some(rest.split_once('"')?.0.to_owned())
}

enum Link {
    None,
    Websocket { write: OwnedWriteHalf, reader: JoinHandle<()> },
    Polling { posts: Vec<Http>, turn: usize, reader: JoinHandle<()> },
}

pub(super) struct Client {
    pub(super) name: String,
    /// Every instance; polls go to each in turn.
    servers: Arc<[SocketAddr]>,
    ear: Arc<Ear>,
    link: Link,
    next_ack: u32,
    /// What the handshake says.
    pub(super) auth: Value,
}

impl Client {
    pub(super) fn new(name: &str, servers: &Arc<[SocketAddr]>, step: &Arc<AtomicU32>) -> Self {
        let ear = Ear {
            heard: Mutex::new(Heard::default()),
            news: Notify::new(),
            step: Arc::clone(step),
        };
        Self {
            name: name.to_owned(),
            servers: Arc::clone(servers),
            ear: Arc::new(ear),
            link: Link::None,
            next_ack: 0,
            auth: json!({}),
        }
    }

    pub(super) fn heard(&self) -> MutexGuard<'_, Heard> {
        self.ear.lock()
    }

    pub(super) const fn is_connected(&self) -> bool {
        !matches!(self.link, Link::None)
    }

    /// Also after the connection was lost.
    pub(super) fn joined(&self, field: &str) -> String {
        let heard = self.heard();
        let joined = heard.joined.as_ref().unwrap_or(&Value::Null);
        let value = joined.pointer(field).and_then(Value::as_str);
        value.unwrap_or_default().to_owned()
    }

    pub(super) fn token(&self) -> String {
        self.joined("/playerToken")
    }

    pub(super) fn player_id(&self) -> String {
        self.joined("/player/id")
    }

    /// Connects at `instance`. Whether what was missed was replayed; else the
    /// socket has joined, if its `auth` names a session.
    pub(super) async fn connect(
        &mut self,
        transport: Transport,
        instance: usize,
    ) -> Result<bool, Failed> {
        let server = self.servers[instance];
        {
            let mut heard = self.heard();
            heard.connected = None;
            heard.sid = None;
            heard.is_closed = false;
            heard.error = None;
        }
        match transport {
            Transport::Websocket => {
                let (mut read, write) = websocket(server, WEBSOCKET).await?;
                let ear = Arc::clone(&self.ear);
                let reader = tokio::spawn(async move {
                    while let Some(packet) = read_text(&mut read).await {
                        ear.take(packet);
                    }
                    ear.close();
                });
                self.link = Link::Websocket { write, reader };
            }
            Transport::Polling | Transport::Upgrade => self.open_polling(server).await?,
        }
        let earlier = {
            let heard = self.heard();
            heard.pid.clone().map(|pid| (pid, heard.offset.clone()))
        };
        let mut auth = self.auth.clone();
        if let Some((pid, offset)) = &earlier {
            auth["pid"] = json!(pid);
            if let Some(offset) = offset {
                auth["offset"] = json!(offset);
            }
        }
        let joins = !auth["sessionId"].is_null();
        let before = if joins { self.heard().joined.take() } else { None };
        self.send(&format!("40{auth}")).await?;
        let name = self.name.clone();
        let pid =
            self.ear.until(format!("{name}'s CONNECT"), |heard| heard.connected.clone()).await?;
        let is_recovered = earlier.is_some_and(|(earlier, _)| earlier == pid);
        if is_recovered && joins {
            self.heard().joined = before;
        } else if joins {
            self.ear
                .until(format!("{name}'s join"), |heard| {
                    (heard.joined.is_some() || heard.error.is_some()).then_some(())
                })
                .await?;
        }
        if transport == Transport::Upgrade {
            self.upgrade(server).await?;
        }
        Ok(is_recovered)
    }

    async fn open_polling(&mut self, server: SocketAddr) -> Result<(), Failed> {
        let opened = Http::to(server).ask("GET", POLLING, &[], "").await?;
        if opened.status != 200 {
            return Err(format!("no connection: {}", opened.body));
        }
        self.ear.take(opened.body);
        let target = self.target(POLLING);
        let posts = self.servers.iter().map(|server| Http::to(*server)).collect();
        let polls: Vec<Http> = self.servers.iter().map(|server| Http::to(*server)).collect();
        let reader = tokio::spawn(poll(polls, target, Arc::clone(&self.ear)));
        self.link = Link::Polling { posts, turn: 0, reader };
        Ok(())
    }

    fn target(&self, path: &str) -> String {
        format!("{path}&sid={}", self.heard().sid.as_deref().unwrap_or_default())
    }

    async fn upgrade(&mut self, server: SocketAddr) -> Result<(), Failed> {
        let (mut read, mut write) = websocket(server, &self.target(WEBSOCKET)).await?;
        send_text(&mut write, "2probe").await?;
        let probed = timeout(PATIENCE, read_text(&mut read)).await;
        if probed != Ok(Some("3probe".to_owned())) {
            return Err(format!("no probe: {probed:?}"));
        }
        // The parked poll is answered first, and no other one follows.
        if let Link::Polling { reader, .. } = std::mem::replace(&mut self.link, Link::None) {
            let ended = timeout(PATIENCE, reader).await;
            ended.map_err(|_| "the last poll was not answered".to_owned())?.map_err(|_| "poll")?;
        }
        send_text(&mut write, "5").await?;
        let ear = Arc::clone(&self.ear);
        let reader = tokio::spawn(async move {
            while let Some(packet) = read_text(&mut read).await {
                ear.take(packet);
            }
            ear.close();
        });
        self.link = Link::Websocket { write, reader };
        Ok(())
    }

    pub(super) async fn send(&mut self, packet: &str) -> Result<(), Failed> {
        let target = match self.link {
            Link::Polling { .. } => self.target(POLLING),
            _ => String::new(),
        };
        match &mut self.link {
            Link::None => Err(format!("{} is not connected", self.name)),
            Link::Websocket { write, .. } => send_text(write, packet).await,
            Link::Polling { posts, turn, .. } => {
                *turn = (*turn + 1) % posts.len();
                let reply = posts[*turn].ask("POST", &target, &[], packet).await?;
                match reply.status {
                    200 => Ok(()),
                    status => Err(format!("{}: POST: {status} {}", self.name, reply.body)),
                }
            }
        }
    }

    /// Sends an event and waits for its acknowledgement.
    pub(super) async fn ask(&mut self, event: &str, payload: &Value) -> Result<Value, Failed> {
        let id = self.next_ack;
        self.next_ack += 1;
        self.send(&format!("42{id}{}", json!([event, payload]))).await?;
        let what = format!("{}'s answer to {event}", self.name);
        self.ear.until(what, |heard| heard.acks.remove(&id)).await
    }

    /// As `ask`; a refusal is a failure of the test.
    pub(super) async fn ok(&mut self, event: &str, payload: &Value) -> Result<Value, Failed> {
        let ack = self.ask(event, payload).await?;
        if ack["ok"] == json!(true) {
            Ok(ack)
        } else {
            Err(format!("{} {event}: {ack}", self.name))
        }
    }

    pub(super) async fn hear_seq(&self, seq: u64) -> Result<(), Failed> {
        let what = format!("seq {seq} at {}", self.name);
        self.ear.until(what, |heard| (seq <= heard.seq).then_some(())).await
    }

    /// Waits for a packet of this step that contains all parts of one of these.
    pub(super) async fn hear_one_of(&self, step: u32, wanted: &[&[&str]]) -> Result<(), Failed> {
        let what = format!("{wanted:?} at {}", self.name);
        let heard =
            |heard: &mut Heard| wanted.iter().any(|parts| heard.has(step, parts)).then_some(());
        self.ear.until(what, heard).await
    }

    /// Waits until the server has let go, and hangs up as a client does.
    pub(super) async fn hear_end(&mut self) -> Result<(), Failed> {
        let what = format!("the end of {}", self.name);
        self.ear.until(what, |heard| heard.is_closed.then_some(())).await?;
        self.goodbye(false).await
    }

    /// The network fails. Over polling the transport is closed, as a page that
    /// goes away does: that nobody polls any more would be known by a
    /// heartbeat only, minutes later.
    pub(super) async fn cut(&mut self) {
        if matches!(self.link, Link::Polling { .. }) {
            // Whoever is sent away at this moment cannot say it.
            let _ = self.send("1").await;
        }
        self.hang_up().await;
    }

    async fn hang_up(&mut self) {
        let (Link::Websocket { reader, .. } | Link::Polling { reader, .. }) =
            std::mem::replace(&mut self.link, Link::None)
        else {
            return;
        };
        reader.abort();
        let _ = reader.await;
    }

    /// Ends the connection in due form, and with it the hope to be recovered
    /// if the namespace is left first.
    pub(super) async fn goodbye(&mut self, leaves_namespace: bool) -> Result<(), Failed> {
        if leaves_namespace {
            self.send("41").await?;
            self.forget();
        }
        if matches!(self.link, Link::Polling { .. }) {
            self.send("1").await?;
        }
        self.hang_up().await;
        Ok(())
    }

    /// As a page that is loaded anew: nothing is known of the socket before.
    pub(super) fn forget(&mut self) {
        let mut heard = self.heard();
        (heard.pid, heard.offset) = (None, None);
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Link::Websocket { reader, .. } | Link::Polling { reader, .. } = &self.link {
            reader.abort();
        }
    }
}

/// Polls each server in turn until the connection is over or taken over.
async fn poll(mut servers: Vec<Http>, target: String, ear: Arc<Ear>) {
    static FIRST: AtomicUsize = AtomicUsize::new(0);
    let mut turn = FIRST.fetch_add(1, Ordering::Relaxed);
    loop {
        turn = (turn + 1) % servers.len();
        let Ok(reply) = servers[turn].ask("GET", &target, &[], "").await else {
            return ear.close();
        };
        if reply.status != 200 {
            return ear.close();
        }
        let (mut is_upgraded, mut is_over) = (false, false);
        for packet in reply.body.split('\u{1e}') {
            is_upgraded |= packet == "6";
            is_over |= packet == "1";
            ear.take(packet.to_owned());
        }
        if is_over {
            return ear.close();
        }
        if is_upgraded {
            return;
        }
    }
}
