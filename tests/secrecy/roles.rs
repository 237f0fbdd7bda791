//! The table of `rules::permissions` over real sockets and HTTP: every role
//! tries every event at least once. And who acts is never what a payload says.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use cardroom::api::client_event::EventName;
use serde_json::{Value, json};

use crate::rules::permissions::catalogue::{Phase, Role, Rule, Verdict, Who};
use crate::secrecy::client::{Client, Transport};
use crate::secrecy::dice::Dice;
use crate::secrecy::schedule::seq_of;
use crate::secrecy::stage::Stage;
use crate::secrecy::wire::{Failed, Http};

/// Who sits there; Rex is put out, Zoe has not joined.
const NAMES: [&str; 8] = ["Hana", "Fay", "Ben", "Pia", "Vic", "Sol", "Rex", "Zoe"];

/// An event, the phase in which it is tried, and whether somebody else does it
/// where it is refused: the next one counts on it.
type Try = (EventName, Phase, bool);

const PLAYED: &[Try] = &[
    (EventName::SessionSync, Phase::Voted, false),
    (EventName::HistoryGet, Phase::Voted, false),
    (EventName::Heartbeat, Phase::Voted, false),
    (EventName::PresenceSet, Phase::Voted, false),
    (EventName::ReactionSend, Phase::Voted, false),
    (EventName::PlayerUpdate, Phase::Voted, false),
    (EventName::PlayerNudge, Phase::Voted, false),
    (EventName::VoteSubmit, Phase::Voted, false),
    (EventName::VoteChange, Phase::Voted, false),
    (EventName::VoteRetract, Phase::Voted, false),
    (EventName::SessionConfigure, Phase::Voted, false),
    (EventName::PlayerSetSpectator, Phase::Voted, false),
    (EventName::PlayerPromote, Phase::Voted, false),
    (EventName::CountdownCancel, Phase::Voted, false),
    (EventName::RoundRestore, Phase::Voted, false),
    (EventName::StoryUpdate, Phase::Voted, false),
    (EventName::StoryCreate, Phase::Voted, true),
    (EventName::StoryImport, Phase::Voted, false),
    (EventName::StoryReorder, Phase::Voted, false),
    (EventName::StoryFinalize, Phase::Voted, false),
    (EventName::StoryDelete, Phase::Voted, false),
    (EventName::TimerPause, Phase::Voted, false),
    (EventName::TimerStart, Phase::Voted, true),
    (EventName::TimerPause, Phase::TimerRunning, true),
    (EventName::TimerResume, Phase::TimerPaused, true),
    (EventName::TimerExtend, Phase::TimerRunning, false),
    (EventName::TimerStop, Phase::TimerRunning, true),
    (EventName::CardsReveal, Phase::Voted, true),
    (EventName::VoteSubmit, Phase::Revealed, false),
    (EventName::VoteRetract, Phase::Revealed, false),
    (EventName::GameReset, Phase::Revealed, true),
    (EventName::RoundRestore, Phase::JustReset, false),
    (EventName::StoryActivate, Phase::Revealed, true),
    (EventName::CardsReveal, Phase::Parked, false),
    (EventName::SessionLock, Phase::Parked, true),
    (EventName::PlayerDemote, Phase::Parked, false),
    (EventName::PlayerTransfer, Phase::Parked, false),
];

const ENDED: &[Try] = &[
    (EventName::PlayerRemove, Phase::Voted, false),
    (EventName::SessionEnd, Phase::Voted, true),
    (EventName::VoteSubmit, Phase::Ended, false),
    (EventName::CardsReveal, Phase::Ended, false),
    (EventName::SessionLock, Phase::Ended, false),
    (EventName::PlayerUpdate, Phase::Ended, false),
];

const SEATED: &[Try] = &[
    (EventName::SessionLock, Phase::Voted, true),
    (EventName::SessionJoin, Phase::Locked, false),
    (EventName::SessionCreate, Phase::Locked, false),
    (EventName::SessionLeave, Phase::Locked, false),
];

const SETTINGS: &[&str] = &["session.disconnect_grace_ms=0", "session.host_grace_ms=0"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_role_tries_every_event_over_sockets() {
    let stage = Stage::open(SETTINGS).await.expect("a stage");
    let mut tried = std::collections::BTreeSet::new();
    let mut turn = 0;
    for role in Role::ALL {
        for script in [PLAYED, ENDED, SEATED] {
            turn += 1;
            let mut room = Room::open(&stage, *role, turn).await.expect("a room");
            for attempt in script {
                room.attempt(*role, *attempt).await.expect("as the catalogue says");
                tried.insert((attempt.0.as_str(), format!("{role:?}")));
            }
        }
    }
    assert_eq!(tried.len(), EventName::ALL.len() * Role::ALL.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_role_tries_every_request_over_http() {
    let stage = Stage::open(SETTINGS).await.expect("a stage");
    for role in Role::ALL {
        let mut room = Room::open(&stage, *role, 0).await.expect("a room");
        room.attempt_http(&stage, *role).await.expect("as the catalogue says");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forged_player_id_changes_nothing() {
    let stage = Stage::open(SETTINGS).await.expect("a stage");
    forge(&stage).await.expect("as the catalogue says");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reveal_and_a_demotion_at_one_instant_are_judged_by_the_log() {
    let stage = Stage::open(SETTINGS).await.expect("a stage");
    let (revealed, demoted) = race(&stage).await.expect("as the log says");
    assert!(5 <= revealed && 5 <= demoted, "both orders: {revealed} and {demoted}");
}

struct Room {
    clients: Vec<Client>,
    session: String,
    /// Who leads while somebody else is tried.
    leader: usize,
    story: String,
}

impl Room {
    /// Everybody has voted; two stories. Everybody comes over another
    /// transport and to another instance each time.
    async fn open(stage: &Stage, role: Role, turn: usize) -> Result<Self, Failed> {
        let mut room =
            Self { clients: Vec::new(), session: String::new(), leader: 0, story: "s1".to_owned() };
        let step = Arc::new(AtomicU32::new(0));
        for (place, name) in NAMES.iter().enumerate() {
            let mut client = Client::new(name, &stage.servers, &step);
            if 0 < place && place < 7 {
                let is_spectator = *name == "Sol";
                client.auth = json!({
                    "sessionId": room.session, "playerName": name, "isSpectator": is_spectator,
                });
            }
            client.connect(Transport::ALL[(place + turn) % 3], (place + turn) % 2).await?;
            if place == 0 {
                let create = json!({"name": "Roles", "playerName": name});
                let created = client.ok("session:create", &create).await?;
                room.session = created["sessionId"].as_str().unwrap_or_default().to_owned();
            }
            room.clients.push(client);
        }
        let (fay, rex) = (room.clients[1].player_id(), room.clients[6].player_id());
        room.does(0, "player:promote", &json!({"playerId": fay})).await?;
        room.does(0, "story:create", &json!({"title": "Second"})).await?;
        room.does(0, "player:remove", &json!({"playerId": rex})).await?;
        room.clients[6].hear_end().await?;
        // Back, but not in.
        room.clients[6].forget();
        room.clients[6].auth = json!({});
        room.clients[6].connect(Transport::Websocket, 1).await?;
        if role == Role::Acting {
            room.acting().await?;
        }
        for voter in 0..5 {
            if room.clients[voter].is_connected() {
                let vote = json!({"storyId": "s1", "value": "5"});
                room.does(voter, "vote:submit", &vote).await?;
            }
        }
        Ok(room)
    }

    /// Ben acts: the host and the facilitator have gone; she comes back.
    async fn acting(&mut self) -> Result<(), Failed> {
        let token = self.clients[1].token();
        for place in [1, 0] {
            let id = self.clients[place].player_id();
            self.clients[place].goodbye(true).await?;
            self.clients[5].hear_one_of(0, &[&[r#"42["player:left""#, &id]]).await?;
        }
        let ben = self.clients[2].player_id();
        let promoted = [r#"42["player:promoted""#, ben.as_str(), r#""acting":true"#];
        self.clients[2].hear_one_of(0, &[&promoted]).await?;
        self.clients[1].auth = json!({"sessionId": self.session, "playerToken": token});
        self.clients[1].connect(Transport::Polling, 0).await?;
        self.leader = 2;
        let seq = self.clients[1].heard().seq;
        self.everybody_hears(seq).await
    }

    async fn everybody_hears(&self, seq: u64) -> Result<(), Failed> {
        for client in self.clients.iter().take(6).filter(|client| client.is_connected()) {
            client.hear_seq(seq).await?;
        }
        Ok(())
    }

    async fn does(&mut self, place: usize, event: &str, payload: &Value) -> Result<Value, Failed> {
        let ack = self.clients[place].ok(event, payload).await?;
        self.everybody_hears(ack["seq"].as_u64().unwrap_or(0)).await?;
        Ok(ack)
    }

    async fn attempt(&mut self, role: Role, attempt: Try) -> Result<(), Failed> {
        let (event, phase, must_happen) = attempt;
        let place = place_of(role);
        let payload = self.payload(event, place);
        let ack = self.clients[place].ask(event.as_str(), &payload).await?;
        let expected = over_sockets(event, role, phase);
        let code = ack["error"]["code"].as_str();
        let is_as_expected = match expected {
            Verdict::Refused(expected) => code == Some(expected),
            Verdict::Done | Verdict::Same => ack["ok"] == json!(true),
        };
        if !is_as_expected {
            let event = event.as_str();
            return Err(format!("{event} by {role:?} in {phase:?}: {ack}, not {expected:?}"));
        }
        let required = Rule::of(event).who.required();
        if code == Some("FORBIDDEN") && ack["error"]["details"]["required"] != json!(required) {
            return Err(format!("{} by {role:?}: {ack}, not {required}", event.as_str()));
        }
        if event == EventName::PlayerRemove && code.is_none() {
            self.clients[4].hear_end().await?;
        }
        // Another session's, or of one that the actor has left.
        if !matches!(event, EventName::SessionCreate | EventName::SessionLeave) {
            self.everybody_hears(ack["seq"].as_u64().unwrap_or(0)).await?;
        }
        if must_happen && code.is_some() {
            self.does(self.leader, event.as_str(), &payload).await?;
        }
        self.repair(role, event, phase, &ack).await
    }

    /// What was taken back or changed is as the next attempts expect it.
    async fn repair(
        &mut self,
        role: Role,
        event: EventName,
        phase: Phase,
        ack: &Value,
    ) -> Result<(), Failed> {
        let is_done = ack["ok"] == json!(true);
        let (leader, vic) = (self.leader, self.clients[4].player_id());
        match event {
            EventName::VoteRetract if is_done && role != Role::Spectator => {
                let vote = json!({"storyId": self.story, "value": "5"});
                self.does(place_of(role), "vote:submit", &vote).await?;
            }
            EventName::PlayerSetSpectator if is_done => {
                let undo = json!({"playerId": vic, "isSpectator": false});
                self.does(leader, "player:set-spectator", &undo).await?;
            }
            EventName::RoundRestore if phase == Phase::JustReset && !is_done => {
                self.does(leader, "round:restore", &json!({"roundId": 1})).await?;
            }
            EventName::StoryActivate => self.story = "s3".to_owned(),
            _ => {}
        }
        Ok(())
    }

    fn payload(&self, event: EventName, place: usize) -> Value {
        let (fay, vic) = (self.clients[1].player_id(), self.clients[4].player_id());
        let story = &self.story;
        match event {
            EventName::SessionCreate => json!({"name": "Other", "playerName": "Other"}),
            EventName::SessionJoin => match self.clients[place].token() {
                token if token.is_empty() => {
                    json!({"sessionId": self.session, "playerName": "Zoe"})
                }
                token => json!({"sessionId": self.session, "playerToken": token}),
            },
            EventName::SessionConfigure => json!({"name": "Ours"}),
            EventName::SessionLock => json!({"locked": true}),
            EventName::PlayerUpdate => json!({"avatar": "🐢"}),
            EventName::PlayerSetSpectator => json!({"playerId": vic, "isSpectator": true}),
            EventName::PlayerRemove
            | EventName::PlayerPromote
            | EventName::PlayerTransfer
            | EventName::PlayerNudge => json!({"playerId": vic}),
            EventName::PlayerDemote => json!({"playerId": fay}),
            EventName::PresenceSet => json!({"away": true}),
            EventName::ReactionSend => json!({"emoji": "🎉"}),
            EventName::VoteSubmit => json!({"storyId": story, "value": "8"}),
            EventName::VoteChange => json!({"storyId": story, "value": "13"}),
            EventName::VoteRetract => json!({"storyId": story}),
            EventName::RoundRestore => json!({"roundId": 1}),
            EventName::StoryUpdate => json!({"title": "Renamed"}),
            EventName::StoryCreate => json!({"title": "Third"}),
            EventName::StoryImport => json!({"format": "lines", "data": "Fourth"}),
            EventName::StoryDelete => json!({"storyId": "s2"}),
            EventName::StoryReorder => json!({"storyId": "s2", "beforeId": "s1"}),
            EventName::StoryActivate => json!({"storyId": "s3"}),
            EventName::StoryFinalize => json!({"storyId": story, "value": "5"}),
            EventName::TimerStart => json!({"duration": 90}),
            EventName::TimerExtend => json!({"seconds": 30}),
            EventName::Heartbeat => json!({"timestamp": 1}),
            EventName::SessionLeave
            | EventName::SessionSync
            | EventName::SessionEnd
            | EventName::CardsReveal
            | EventName::CountdownCancel
            | EventName::GameReset
            | EventName::TimerStop
            | EventName::TimerPause
            | EventName::TimerResume
            | EventName::HistoryGet => json!({}),
        }
    }

    /// The counterparts over HTTP.
    async fn attempt_http(&mut self, stage: &Stage, role: Role) -> Result<(), Failed> {
        let token = self.clients[place_of(role)].token();
        let bearer = format!("Bearer {token}");
        let path = format!("/api/v1/sessions/{}", self.session);
        let stories = format!("{path}/stories");
        let (state, export) = (format!("{path}/state"), format!("{path}/export?format=md"));
        let validate = "/api/v1/sessions/validate".to_owned();
        let join = format!("{path}/join");
        let check = json!({"sessionId": self.session, "playerToken": token}).to_string();
        let title = json!({"title": "Over HTTP"}).to_string();
        let zoe = json!({"playerName": "Zoe"}).to_string();
        let mut http = Http::to(stage.servers[1]);
        let member = Who::Member;
        let requests = [
            ("POST", &stories, title.as_str(), Who::Story, Phase::Voted),
            ("GET", &state, "", member, Phase::Voted),
            ("GET", &export, "", member, Phase::Voted),
            ("POST", &validate, check.as_str(), member, Phase::Voted),
            ("POST", &join, zoe.as_str(), Who::Anyone, Phase::Locked),
            ("DELETE", &path, "", Who::Host, Phase::Locked),
            ("POST", &stories, title.as_str(), Who::Story, Phase::Ended),
            ("POST", &validate, check.as_str(), member, Phase::Ended),
        ];
        for (method, target, body, who, phase) in requests {
            if phase == Phase::Locked && who == Who::Anyone {
                self.does(self.leader, "session:lock", &json!({"locked": true})).await?;
            }
            let headers =
                [("Content-Type", "application/json"), ("Authorization", bearer.as_str())];
            let sent = if token.is_empty() { &headers[..1] } else { &headers[..] };
            let reply = http.ask(method, target, sent, body).await?;
            let problem: Value = serde_json::from_str(&reply.body).unwrap_or(Value::Null);
            let code = problem["code"].as_str().filter(|_| 400 <= reply.status);
            let expected = over_http(who, role, phase);
            if code != expected || (expected.is_none() && 300 <= reply.status) {
                return Err(format!(
                    "{method} {target} by {role:?} in {phase:?}: {} {}, not {expected:?}",
                    reply.status, reply.body
                ));
            }
            if method == "DELETE" && expected.is_some() {
                self.does(self.leader, "session:end", &json!({})).await?;
            }
        }
        Ok(())
    }
}

const fn place_of(role: Role) -> usize {
    match role {
        Role::Host => 0,
        Role::Facilitator => 1,
        Role::Acting => 2,
        Role::Player => 3,
        Role::Spectator => 5,
        Role::Removed => 6,
        Role::Stranger => 7,
    }
}

/// The rules know seats, a socket knows whether it has joined: a removed
/// player's is put out of the session, and joining is what it is refused.
fn over_sockets(event: EventName, role: Role, phase: Phase) -> Verdict {
    let rule = Rule::of(event);
    let is_outside = matches!(role, Role::Removed | Role::Stranger);
    match (event, is_outside) {
        // "ALREADY_JOINED_OTHER: socket is in another session."
        (EventName::SessionCreate, false) => Verdict::Refused("ALREADY_JOINED_OTHER"),
        (EventName::SessionCreate, true) => Verdict::Done,
        // In the session that was just opened.
        (EventName::SessionLeave, true) => Verdict::Done,
        (EventName::SessionJoin, _) | (_, false) => rule.expected(role, phase),
        (_, true) => Verdict::Refused("NOT_JOINED"),
    }
}

/// `None`: accepted.
fn over_http(who: Who, role: Role, phase: Phase) -> Option<&'static str> {
    match (who, role) {
        (Who::Anyone, _) if phase == Phase::Locked => Some("SESSION_LOCKED"),
        // Who shows no token is nobody, whatever the session is.
        (_, Role::Stranger) => Some("INVALID_PLAYER_TOKEN"),
        (_, Role::Removed) => Some("PLAYER_REMOVED"),
        _ if phase == Phase::Ended => Some("SESSION_ENDED"),
        _ if who.includes(role, phase) => None,
        _ => Some("FORBIDDEN"),
    }
}

async fn forge(stage: &Stage) -> Result<(), Failed> {
    let mut room = Room::open(stage, Role::Host, 1).await?;
    let (hana, pia) = (room.clients[0].player_id(), room.clients[3].player_id());
    let forged = |mut payload: Value| {
        for name in ["playerId", "by", "actor", "seat", "player"] {
            payload[name] = json!(hana);
        }
        payload["role"] = json!("host");
        payload["isHost"] = json!(true);
        payload
    };
    for event in ["cards:reveal", "game:reset", "session:end", "timer:start"] {
        let ack = room.clients[3].ask(event, &forged(json!({}))).await?;
        if ack["error"]["code"] != json!("FORBIDDEN") {
            return Err(format!("{event}: {ack}"));
        }
    }
    // It is Pia who votes and who is renamed, whatever she says.
    let vote = forged(json!({"storyId": "s1", "value": "89"}));
    room.does(3, "vote:submit", &vote).await?;
    room.does(3, "player:update", &forged(json!({"name": "Forger"}))).await?;
    let told = |event: &str| {
        let heard = room.clients[0].heard();
        let mut packets = heard.tape.iter().rev().map(|(_, packet)| packet);
        packets.find(|packet| packet.starts_with(&format!("42[\"{event}\""))).cloned()
    };
    for event in ["vote:submitted", "player:updated"] {
        let packet = told(event).ok_or("nothing was told")?;
        if !packet.contains(&pia) || packet.contains(&hana) {
            return Err(format!("told as somebody else's: {packet}"));
        }
    }
    let mine = room.does(0, "session:sync", &json!({})).await?;
    if mine["snapshot"]["you"]["vote"]["value"] != json!("5") {
        return Err(format!("the host's vote: {}", mine["snapshot"]["you"]));
    }
    // A seat is its token's, not its id's.
    for claim in [json!({}), json!({"playerToken": "cr1.s.AAAAAAAAAAAAAAAAAAAA.BBBBBBBBBBBBBBBB"})]
    {
        let mut join = json!({"sessionId": room.session, "playerId": hana, "playerName": "Zoe"});
        if let Some(token) = claim["playerToken"].as_str() {
            join["playerToken"] = json!(token);
        }
        let ack = room.clients[7].ask("session:join", &join).await?;
        if ack["error"]["code"] != json!("INVALID_PLAYER_TOKEN") {
            return Err(format!("Hana's id without her token: {ack}"));
        }
    }
    let token = room.clients[3].token();
    let join = json!({"sessionId": room.session, "playerId": hana, "playerToken": token});
    let ack = room.clients[7].ok("session:join", &join).await?;
    if ack["player"]["id"] != json!(pia) {
        return Err(format!("Pia's token with Hana's id: {ack}"));
    }
    Ok(())
}

/// How often the reveal came first, and how often the demotion did.
async fn race(stage: &Stage) -> Result<(u32, u32), Failed> {
    const ROUNDS: u64 = 60;
    let mut room = Room::open(stage, Role::Host, 2).await?;
    let fay = room.clients[1].player_id();
    let target = json!({"playerId": fay});
    let mut dice = Dice::new(7);
    let (mut revealed, mut demoted) = (0, 0);
    for round in 0..ROUNDS {
        // Ten of them with an order that is certain.
        let (head_start_ms, lag_ms) = match round {
            0..5 => (0, 100),
            5..10 => (100, 0),
            _ => (dice.below(3) as u64, dice.below(3) as u64),
        };
        let before = room.clients[3].heard().tape.len();
        let (hana, rest) = room.clients.split_at_mut(1);
        let demotion = async {
            tokio::time::sleep(std::time::Duration::from_millis(lag_ms)).await;
            hana[0].ok("player:demote", &target).await
        };
        let reveal = async {
            tokio::time::sleep(std::time::Duration::from_millis(head_start_ms)).await;
            rest[0].ask("cards:reveal", &json!({})).await
        };
        let (demotion, reveal) = tokio::join!(demotion, reveal);
        let (demotion, reveal) = (demotion?, reveal?);
        for ack in [&demotion, &reveal] {
            room.everybody_hears(ack["seq"].as_u64().unwrap_or(0)).await?;
        }
        let told = |event: &str| {
            let heard = room.clients[3].heard();
            let mut packets = heard.tape[before..].iter().map(|(_, packet)| packet);
            packets.find(|packet| packet.starts_with(event)).and_then(|packet| seq_of(packet))
        };
        let (shown, changed) = (told(r#"42["cards:revealed""#), told(r#"42["player:updated""#));
        let is_right = match (reveal["error"]["code"].as_str(), shown, changed) {
            (None, Some(shown), Some(changed)) => {
                revealed += 1;
                shown < changed
            }
            (Some("FORBIDDEN"), None, Some(_)) => {
                demoted += 1;
                true
            }
            _ => false,
        };
        if !is_right {
            return Err(format!("{reveal}; revealed {shown:?}, demoted {changed:?}"));
        }
        // Both instances tell the same.
        for place in [0, 1] {
            let ack = room.does(place, "session:sync", &json!({})).await?;
            let is_shown = ack["snapshot"]["round"]["phase"] == json!("revealed");
            if is_shown != shown.is_some() {
                return Err(format!("{} sees {}", NAMES[place], ack["snapshot"]["round"]));
            }
        }
        room.does(0, "player:promote", &target).await?;
        room.does(0, "game:reset", &json!({})).await?;
        room.does(4, "vote:submit", &json!({"storyId": "s1", "value": "5"})).await?;
    }
    Ok((revealed, demoted))
}
