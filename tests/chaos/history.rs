//! What the clients and the nemesis wrote down, read back.
//!
//! A line is an object: `t` (ns), `c` (client), `k` (kind) and what belongs
//! to the kind; tests/clients/chaos/player.mjs writes them. A payload that a
//! room hears stands in a line of its own and is named by its number.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use cardroom::poker::ids::{PlayerId, SessionId};

#[derive(Default)]
pub(crate) struct History {
    pub(crate) clients: BTreeMap<String, Client>,
    pub(crate) commands: HashMap<String, Command>,
    /// Payloads that rooms heard.
    pub(crate) bodies: Vec<Value>,
    /// In the order of time.
    pub(crate) faults: Vec<Fault>,
}

/// Everything that one client saw, in its order.
#[derive(Default)]
pub(crate) struct Client {
    pub(crate) session: Option<SessionId>,
    pub(crate) player: Option<PlayerId>,
    pub(crate) seen: Vec<(u64, Seen)>,
}

pub(crate) enum Seen {
    Connect {
        recovered: bool,
    },
    Cut,
    /// An attempt to connect that failed.
    Refused {
        why: String,
    },
    /// `offset`: the last argument, where recovery is possible.
    Deliver {
        event: String,
        body: usize,
        offset: Option<String>,
    },
    Whisper {
        event: String,
        payload: Value,
    },
    Snapshot {
        why: String,
        text: Box<RawValue>,
    },
    Caught {
        how: String,
        cut: u64,
    },
    Final {
        seq: Option<u64>,
    },
    Stuck {
        what: String,
    },
    NotJoined {
        code: String,
    },
}

pub(crate) struct Command {
    pub(crate) client: String,
    pub(crate) event: String,
    pub(crate) payload: Value,
    pub(crate) invoked: u64,
    pub(crate) outcome: Outcome,
    pub(crate) resends: u32,
}

pub(crate) enum Outcome {
    /// Nobody knows.
    Info,
    Ok {
        at: u64,
        ack: Value,
    },
    Fail {
        code: String,
    },
}

pub(crate) struct Fault {
    pub(crate) t: u64,
    pub(crate) what: String,
}

#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    t: u64,
    #[serde(default)]
    c: String,
    k: String,
    b: Option<usize>,
    cmd: Option<String>,
    ev: Option<String>,
    p: Option<Box<RawValue>>,
    a: Option<Value>,
    code: Option<String>,
    why: Option<String>,
    what: Option<String>,
    off: Option<String>,
    how: Option<String>,
    cut: Option<u64>,
    seq: Option<u64>,
    recovered: Option<bool>,
    session: Option<String>,
    player: Option<String>,
}

impl History {
    pub(crate) fn read(&mut self, path: &Path) -> Result<(), String> {
        let problem = |error: &dyn std::fmt::Display| format!("read {}: {error}", path.display());
        let file = File::open(path).map_err(|error| problem(&error))?;
        let mut bodies = HashMap::new();
        for line in BufReader::new(file).lines() {
            let line = line.map_err(|error| problem(&error))?;
            let line: Line = serde_json::from_str(&line).map_err(|error| problem(&error))?;
            if line.k == "body" {
                bodies.insert(line.b, self.bodies.len());
                self.bodies.push(line.payload());
                continue;
            }
            let body = line.b.and_then(|_| bodies.get(&line.b).copied());
            self.take(line, body);
        }
        self.faults.sort_by_key(|fault| fault.t);
        Ok(())
    }

    fn take(&mut self, line: Line, body: Option<usize>) {
        let t = line.t;
        if line.k == "fault" {
            let what = line.what.unwrap_or_default();
            self.faults.push(Fault { t, what });
            return;
        }
        let client = self.clients.entry(line.c.clone()).or_default();
        let mut see = |seen| client.seen.push((t, seen));
        let cmd = line.cmd.clone().unwrap_or_default();
        match line.k.as_str() {
            "connect" => see(Seen::Connect { recovered: line.recovered == Some(true) }),
            "cut" => see(Seen::Cut),
            "refused" => see(Seen::Refused { why: line.why.unwrap_or_default() }),
            "deliver" => see(Seen::Deliver {
                event: line.ev.unwrap_or_default(),
                body: body.unwrap_or_default(),
                offset: line.off,
            }),
            "whisper" => {
                let payload = line.payload();
                see(Seen::Whisper { event: line.ev.unwrap_or_default(), payload });
            }
            "snapshot" => {
                if let Some(text) = line.p {
                    see(Seen::Snapshot { why: line.why.unwrap_or_default(), text });
                }
            }
            "caught" => see(Seen::Caught {
                how: line.how.unwrap_or_default(),
                cut: line.cut.unwrap_or_default(),
            }),
            "final" => see(Seen::Final { seq: line.seq }),
            "stuck" => see(Seen::Stuck { what: cmd }),
            "nojoin" => see(Seen::NotJoined { code: line.code.unwrap_or_default() }),
            "seat" => {
                client.session = line.session.and_then(|id| id.parse().ok());
                client.player = line.player.and_then(|id| id.parse().ok());
            }
            "invoke" => {
                let command = Command {
                    payload: line.payload(),
                    client: line.c,
                    event: line.ev.unwrap_or_default(),
                    invoked: t,
                    outcome: Outcome::Info,
                    resends: 0,
                };
                self.commands.insert(cmd, command);
            }
            "resend" => self.of(&cmd, |command| command.resends += 1),
            "ok" => {
                let ack = line.a.unwrap_or_default();
                self.of(&cmd, |command| command.outcome = Outcome::Ok { at: t, ack });
            }
            "fail" => {
                let code = line.code.unwrap_or_default();
                self.of(&cmd, |command| command.outcome = Outcome::Fail { code });
            }
            // `info` is what a command is without any other line.
            _ => {}
        }
    }

    fn of(&mut self, cmd: &str, change: impl FnOnce(&mut Command)) {
        if let Some(command) = self.commands.get_mut(cmd) {
            change(command);
        }
    }

    /// When the last fault of a kind happened.
    pub(crate) fn last_fault(&self, kind: &str) -> Option<u64> {
        self.faults.iter().rev().find(|fault| fault.what.starts_with(kind)).map(|fault| fault.t)
    }

    pub(crate) fn session_of(&self, command: &Command) -> Option<SessionId> {
        self.clients.get(&command.client)?.session
    }
}

impl Line {
    fn payload(&self) -> Value {
        let text = self.p.as_ref().map(|text| text.get());
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }
}
