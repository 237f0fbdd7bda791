//! A random session, the same whenever its seed is: who comes and goes, who
//! votes, who looks. Each step has reached everybody before the next begins,
//! so that two runs differ in nothing but the votes.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use crate::secrecy::ballots::Ballots;
use crate::secrecy::client::{Client, Tape, Transport};
use crate::secrecy::dice::Dice;
use crate::secrecy::wire::{Failed, Http};

const STEPS: usize = 40;
/// Spectators and players who come during the game.
const LATE_MAX: usize = 2;
/// How long a countdown is looked at, before somebody stops it.
const COUNTDOWN_STEPS_MAX: usize = 3;
pub(super) const VOTERS: [&str; 3] = ["Vera", "Paul", "Vic"];

/// Somebody with a seat, and the connections of it.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) id: String,
    pub(super) token: String,
    /// Places in the list of clients.
    pub(super) tabs: Vec<usize>,
    pub(super) is_spectator: bool,
    pub(super) is_away: bool,
    pub(super) is_gone: bool,
}

pub(super) struct Schedule {
    pub(super) dice: Dice,
    pub(super) ballots: Ballots,
    pub(super) servers: Arc<[SocketAddr]>,
    pub(super) step: Arc<AtomicU32>,
    pub(super) clients: Vec<Client>,
    pub(super) people: Vec<Person>,
    /// Whose votes vary: a place among the people.
    pub(super) secret: usize,
    pub(super) late: usize,
    pub(super) session: String,
    pub(super) code: String,
    /// As the host sees it.
    pub(super) now: Value,
    pub(super) labels: Vec<String>,
    pub(super) deck: Value,
    pub(super) other_deck: Value,
    pub(super) counting_down_for: usize,
    pub(super) has_nudged: bool,
    pub(super) is_over: bool,
    pub(super) https: Vec<Http>,
    over_http: BTreeMap<String, Tape>,
    pub(super) figures: Figures,
}

#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Figures {
    pub(super) commands: usize,
    pub(super) votes: usize,
    pub(super) reconnects: usize,
    pub(super) recovered: usize,
    pub(super) rest: usize,
}

/// Places of the two who are always there, at one instance each.
pub(super) const HANNA: usize = 0;
pub(super) const SAM: usize = 1;

/// What a run leaves behind.
#[derive(Clone)]
pub(super) struct Recording {
    pub(super) session: String,
    pub(super) code: String,
    pub(super) streams: Vec<Stream>,
    /// Step and `seq` of each time that cards were shown.
    pub(super) reveals: Vec<(u32, u64)>,
    pub(super) ballots: Ballots,
    pub(super) steps: u32,
    pub(super) figures: Figures,
}

#[derive(Clone)]
pub(super) struct Stream {
    pub(super) name: String,
    /// Of the one whose votes vary, who may see them.
    pub(super) is_own: bool,
    pub(super) tape: Tape,
}

impl Schedule {
    /// `ballots` are made from the labels of the deck.
    pub(super) fn new(
        seed: u64,
        servers: Arc<[SocketAddr]>,
        ballots: impl FnOnce(Vec<String>) -> Ballots,
    ) -> Self {
        let mut dice = Dice::new(seed);
        let fibonacci = ["0", "1", "2", "3", "5", "8", "13", "21", "34", "55", "89", "?", "☕"];
        let (labels, deck): (Vec<String>, Value) = if dice.once_in(2) {
            (fibonacci.map(str::to_owned).into(), json!("fibonacci"))
        } else {
            // Words that are nowhere else, of all lengths.
            let labels: Vec<String> = (2..14)
                .map(|length| format!("{}{}", dice.word(length % 8), dice.word(2)))
                .collect();
            let deck = json!({"name": "Words", "cards": labels});
            (labels, deck)
        };
        let mut more = labels.clone();
        more.push(if deck.is_string() { "100".to_owned() } else { "YY".to_owned() });
        let other_deck = json!({"name": "Other", "cards": more});
        let secret = 2 + dice.below(VOTERS.len());
        Self {
            ballots: ballots(labels.clone()),
            https: servers.iter().map(|server| Http::to(*server)).collect(),
            dice,
            servers,
            step: Arc::default(),
            clients: Vec::new(),
            people: Vec::new(),
            secret,
            late: 0,
            session: String::new(),
            code: String::new(),
            now: Value::Null,
            labels,
            deck,
            other_deck,
            counting_down_for: 0,
            has_nudged: false,
            is_over: false,
            over_http: BTreeMap::new(),
            figures: Figures::default(),
        }
    }

    pub(super) async fn run(mut self) -> Result<Recording, Failed> {
        self.seat().await?;
        for _ in 0..STEPS {
            self.step.fetch_add(1, Ordering::Relaxed);
            self.figures.commands += 1;
            self.make_a_move().await?;
            self.settle().await?;
            if self.is_over {
                break;
            }
        }
        // Whoever goes from now on is told of to nobody, in whatever order.
        self.step.fetch_add(1, Ordering::Relaxed);
        if !self.is_over {
            self.end().await?;
        }
        Ok(self.recording().await)
    }

    async fn seat(&mut self) -> Result<(), Failed> {
        let here = self.dice.below(2);
        let hanna = self.client("Hanna");
        let transport = self.dice.of(&Transport::ALL);
        self.clients[hanna].connect(transport, here).await?;
        let create = json!({"name": "Sprint 12", "playerName": "Hanna", "deck": self.deck});
        let created = self.clients[hanna].ok("session:create", &create).await?;
        self.session = created["sessionId"].as_str().unwrap_or_default().to_owned();
        self.code = created["code"].as_str().unwrap_or_default().to_owned();
        self.person(hanna, false);
        let there = 1 - here;
        self.take_seat("Sam", true, there).await?;
        for name in VOTERS {
            let instance = self.dice.below(2);
            self.take_seat(name, false, instance).await?;
        }
        self.now = self.clients[hanna].ok("session:sync", &json!({})).await?["snapshot"].take();
        // So that those who vote can all have voted.
        if !self.dice.once_in(4) {
            let watch = json!({"isSpectator": true});
            self.command(HANNA, "player:update", &watch).await?;
            self.people[HANNA].is_spectator = true;
        }
        // The second of the three leads as well.
        let promote = json!({"playerId": self.people[3].id});
        self.command(HANNA, "player:promote", &promote).await?;
        self.settle().await
    }

    pub(super) fn client(&mut self, name: &str) -> usize {
        self.clients.push(Client::new(name, &self.servers, &self.step));
        self.clients.len() - 1
    }

    pub(super) fn person(&mut self, tab: usize, is_spectator: bool) {
        let client = &self.clients[tab];
        self.people.push(Person {
            id: client.player_id(),
            token: client.token(),
            tabs: vec![tab],
            is_spectator,
            is_away: false,
            is_gone: false,
        });
    }

    /// A newcomer, of whom everybody has heard.
    pub(super) async fn take_seat(
        &mut self,
        name: &str,
        is_spectator: bool,
        instance: usize,
    ) -> Result<(), Failed> {
        // Seats are listed in the order of their milliseconds.
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        let transport = self.dice.of(&Transport::ALL);
        let tab = self.client(name);
        self.clients[tab].auth = json!({
            "sessionId": self.session, "playerName": name, "isSpectator": is_spectator,
        });
        self.clients[tab].connect(transport, instance).await?;
        if self.clients[tab].heard().joined.is_none() {
            // The door is locked.
            return self.clients[tab].goodbye(true).await;
        }
        self.person(tab, is_spectator);
        let seq = self.clients[tab].heard().seq;
        self.everybody_hears(seq).await
    }

    /// An event of somebody who is there, and what it leads to.
    pub(super) async fn command(
        &mut self,
        tab: usize,
        event: &str,
        payload: &Value,
    ) -> Result<Value, Failed> {
        let ack = self.clients[tab].ask(event, payload).await?;
        if let Some(seq) = ack["seq"].as_u64() {
            self.everybody_hears(seq).await?;
        }
        Ok(ack)
    }

    /// Places of the clients that are in the session now.
    pub(super) fn present(&self) -> Vec<usize> {
        let mut tabs: Vec<usize> = self
            .people
            .iter()
            .filter(|person| !person.is_gone)
            .flat_map(|person| person.tabs.iter().copied())
            .filter(|tab| self.clients[*tab].is_connected())
            .collect();
        tabs.sort_unstable();
        tabs
    }

    pub(super) async fn everybody_hears(&self, seq: u64) -> Result<(), Failed> {
        for tab in self.present() {
            self.clients[tab].hear_seq(seq).await?;
        }
        Ok(())
    }

    pub(super) async fn everybody_is_told(&self, parts: &[&[&str]]) -> Result<(), Failed> {
        let step = self.step.load(Ordering::Relaxed);
        for tab in self.present() {
            self.clients[tab].hear_one_of(step, parts).await?;
        }
        Ok(())
    }

    /// Whatever followed from what everybody was told, in the same commit, has
    /// reached the host as well: the session's task answers after it. A refusal
    /// says nothing of the moment.
    pub(super) async fn breathe(&mut self) -> Result<(), Failed> {
        let nothing = json!({"storyId": "s9999"});
        self.clients[HANNA].ask("story:delete", &nothing).await.map(drop)
    }

    /// Everything that the step led to has reached everybody.
    async fn settle(&mut self) -> Result<(), Failed> {
        let step = self.step.load(Ordering::Relaxed);
        if self.clients[HANNA].heard().has_short_countdown(step) {
            self.everybody_is_told(&[&[r#"42["cards:revealed""#]]).await?;
        }
        self.look().await?;
        if self.now["round"]["phase"] == "countdown" {
            self.counting_down_for += 1;
        } else {
            self.counting_down_for = 0;
        }
        let shown: Vec<String> = {
            let heard = self.clients[HANNA].heard();
            let packets = heard.tape.iter().rev().take_while(|(at, _)| *at == step);
            let revealed =
                packets.filter(|(_, packet)| packet.starts_with(r#"42["cards:revealed""#));
            revealed.filter_map(|(_, packet)| field(packet, "storyId")).collect()
        };
        for story in shown {
            self.ballots.is_shown(&story, step);
        }
        Ok(())
    }

    async fn look(&mut self) -> Result<(), Failed> {
        let mut ack = self.clients[HANNA].ok("session:sync", &json!({})).await?;
        let before = std::mem::replace(&mut self.now, ack["snapshot"].take());
        self.everybody_hears(self.now["seq"].as_u64().unwrap_or(0)).await?;
        let (was, is) = (&before["round"], &self.now["round"]);
        // A new round has destroyed the votes, a revealed one is archived when
        // it is left; any other waits with its votes.
        let is_parked = was["storyId"] != is["storyId"] && was["phase"] != "revealed";
        if was["roundId"] != is["roundId"] && !is_parked {
            let story = was["storyId"].as_str().unwrap_or_default();
            self.ballots.is_taken_away(story);
        }
        Ok(())
    }

    pub(super) fn note_http(&mut self, name: String, line: String) {
        let step = self.step.load(Ordering::Relaxed);
        self.over_http.entry(name).or_default().push((step, line));
    }

    async fn recording(mut self) -> Recording {
        let own: Vec<String> = self.people[self.secret]
            .tabs
            .iter()
            .map(|tab| self.clients[*tab].name.clone())
            .collect();
        let mut reveals = Vec::new();
        let mut streams: Vec<Stream> = Vec::new();
        for client in &self.clients {
            let tape = std::mem::take(&mut client.heard().tape);
            if streams.is_empty() {
                let shown =
                    tape.iter().filter(|(_, packet)| packet.starts_with(r#"42["cards:revealed""#));
                reveals =
                    shown.map(|(step, packet)| (*step, seq_of(packet).unwrap_or(0))).collect();
            }
            let is_own = own.contains(&client.name);
            streams.push(Stream { name: client.name.clone(), is_own, tape });
        }
        for client in &mut self.clients {
            let _ = client.goodbye(true).await;
        }
        for (name, tape) in self.over_http {
            let is_own = own.iter().any(|own| name == format!("{own} over HTTP"));
            streams.push(Stream { name, is_own, tape });
        }
        Recording {
            session: self.session,
            code: self.code,
            streams,
            reveals,
            ballots: self.ballots,
            steps: self.step.load(Ordering::Relaxed),
            figures: self.figures,
        }
    }

    pub(super) fn is_counted_down_enough(&self) -> bool {
        COUNTDOWN_STEPS_MAX <= self.counting_down_for
    }

    pub(super) const fn may_come_late(&self) -> bool {
        self.late < LATE_MAX
    }
}

pub(super) fn seq_of(packet: &str) -> Option<u64> {
    let digits = &packet[packet.rfind("\"seq\":")? + 6..];
    let end = digits.find(|c: char| !c.is_ascii_digit())?;
    digits[..end].parse().ok()
}

fn field(packet: &str, name: &str) -> Option<String> {
    let (_, rest) = packet.split_once(&format!("\"{name}\":\""))?;
    Some(rest.split_once('"')?.0.to_owned())
}
