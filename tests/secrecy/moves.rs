//! What can happen in a step.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use crate::secrecy::client::Transport;
use crate::secrecy::schedule::{HANNA, SAM, Schedule, VOTERS};
use crate::secrecy::wire::Failed;

#[derive(Debug, Clone, Copy)]
enum Move {
    Vote(&'static str),
    VoteAgain,
    VoteInVain,
    Retract,
    Reveal,
    Reset,
    Restore,
    Stories,
    Configure,
    CancelCountdown,
    TurnSpectator,
    OpenTab,
    GoAway,
    ComeBack,
    ComeLate,
    LeaveOrBePutOut,
    Look,
    LookOverHttp,
    Presence,
    Lead,
    Timer,
    TimerToItsEnd,
    End,
}

/// How often each is drawn. Refusals are part of it.
const WEIGHTS: &[(usize, Move)] = &[
    (300, Move::Vote("vote:submit")),
    (140, Move::Vote("vote:change")),
    (30, Move::VoteAgain),
    (60, Move::VoteInVain),
    (50, Move::Retract),
    (100, Move::Reveal),
    (50, Move::Reset),
    (30, Move::Restore),
    (110, Move::Stories),
    (80, Move::Configure),
    (20, Move::CancelCountdown),
    (40, Move::TurnSpectator),
    (30, Move::OpenTab),
    (90, Move::GoAway),
    (120, Move::ComeBack),
    (25, Move::ComeLate),
    (15, Move::LeaveOrBePutOut),
    (60, Move::Look),
    (60, Move::LookOverHttp),
    (40, Move::Presence),
    (30, Move::Lead),
    (30, Move::Timer),
    (6, Move::TimerToItsEnd),
    (8, Move::End),
];

impl Schedule {
    pub(super) async fn make_a_move(&mut self) -> Result<(), Failed> {
        let sum: usize = WEIGHTS.iter().map(|(weight, _)| weight).sum();
        let mut at = self.dice.below(sum);
        let mut next = Move::Look;
        for (weight, candidate) in WEIGHTS {
            if at < *weight {
                next = *candidate;
                break;
            }
            at -= weight;
        }
        // A countdown must not end by itself while somebody looks at it.
        if self.is_counted_down_enough() {
            next = self.dice.of(&[Move::CancelCountdown, Move::Reveal, Move::Reset]);
        }
        match next {
            Move::Vote(event) => self.vote(event).await,
            Move::VoteAgain => self.vote_again().await,
            Move::VoteInVain => self.vote_in_vain().await,
            Move::Retract => self.retract().await,
            Move::Reveal => self.lead("cards:reveal", json!({})).await,
            Move::Reset => self.reset().await,
            Move::Restore => self.restore().await,
            Move::Stories => self.stories().await,
            Move::Configure => self.configure().await,
            Move::CancelCountdown => self.lead("countdown:cancel", json!({})).await,
            Move::TurnSpectator => self.turn_spectator().await,
            Move::OpenTab => self.open_tab().await,
            Move::GoAway => self.go_away().await,
            Move::ComeBack => self.come_back().await,
            Move::ComeLate => self.come_late().await,
            Move::LeaveOrBePutOut => self.leave_or_be_put_out().await,
            Move::Look => self.look_around().await,
            Move::LookOverHttp => self.look_over_http().await,
            Move::Presence => self.presence().await,
            Move::Lead => self.rule().await,
            Move::Timer => self.timer().await,
            Move::TimerToItsEnd => self.timer_to_its_end().await,
            Move::End => self.end().await,
        }
    }

    fn story(&self) -> String {
        self.now["currentStory"]["id"].as_str().unwrap_or_default().to_owned()
    }

    fn any_story(&mut self) -> String {
        let stories = self.now["stories"].as_array().map_or(0, Vec::len).max(1);
        let place = self.dice.below(stories);
        self.now["stories"][place]["id"].as_str().unwrap_or_default().to_owned()
    }

    fn round(&self) -> u64 {
        self.now["round"]["roundId"].as_u64().unwrap_or(0)
    }

    /// One of the three, every other time the one whose votes vary, and a tab.
    fn voter(&mut self) -> Option<(usize, usize)> {
        let secret = self.secret;
        let person = if self.dice.once_in(2) { secret } else { 2 + self.dice.below(VOTERS.len()) };
        let tab = self.tab_of(person)?;
        Some((person, tab))
    }

    fn tab_of(&mut self, person: usize) -> Option<usize> {
        let tabs = self.connected(person);
        if tabs.is_empty() { None } else { Some(self.dice.of(&tabs)) }
    }

    fn connected(&self, person: usize) -> Vec<usize> {
        let person = &self.people[person];
        let tabs = person.tabs.iter().copied();
        tabs.filter(|tab| !person.is_gone && self.clients[*tab].is_connected()).collect()
    }

    fn anybody(&mut self) -> usize {
        let present = self.present();
        self.dice.of(&present)
    }

    /// Something that the host or the other leader does.
    async fn lead(&mut self, event: &str, payload: Value) -> Result<(), Failed> {
        let tab = if self.dice.once_in(3) { self.tab_of(3) } else { None };
        self.command(tab.unwrap_or(HANNA), event, &payload).await?;
        Ok(())
    }

    /// What a voter plays: a number among the ballots if the votes vary, and
    /// the payload.
    fn ballot(&mut self, person: usize) -> Result<(Option<usize>, Value), Failed> {
        let is_sure = self.dice.once_in(2);
        let has_number = self.dice.once_in(4);
        let (place, value, confidence) = if person == self.secret {
            let place = self.ballots.next(is_sure)?;
            let marked = self.ballots.marked(place).clone();
            (Some(place), marked.value, marked.confidence)
        } else {
            let at = self.dice.below(self.labels.len());
            let confidence = is_sure.then(|| 1 + self.dice.below(5) as u8);
            (None, self.labels[at].clone(), confidence)
        };
        let mut payload = json!({"storyId": self.story()});
        payload["value"] = match value.parse::<u32>() {
            Ok(number) if has_number => json!(number),
            _ => json!(value),
        };
        if let Some(confidence) = confidence {
            payload["confidence"] = json!(confidence);
        }
        Ok((place, payload))
    }

    async fn vote(&mut self, event: &str) -> Result<(), Failed> {
        let Some((person, tab)) = self.voter() else { return Ok(()) };
        let (place, payload) = self.ballot(person)?;
        self.cast(tab, event, place, payload).await
    }

    async fn cast(
        &mut self,
        tab: usize,
        event: &str,
        place: Option<usize>,
        payload: Value,
    ) -> Result<(), Failed> {
        self.figures.votes += 1;
        let ack = self.command(tab, event, &payload).await?;
        if let Some(place) = place
            && ack["ok"] == json!(true)
            // A replayed answer is about an earlier card.
            && ack["value"] == json!(self.ballots.marked(place).value)
            && let Some(story) = ack["storyId"].as_str()
        {
            self.ballots.lies(story, place);
        }
        Ok(())
    }

    /// The same once more, which nobody else hears of.
    async fn vote_again(&mut self) -> Result<(), Failed> {
        let person = self.secret;
        let (Some(tab), Some(place)) = (self.tab_of(person), self.ballots.lying(&self.story()))
        else {
            return Ok(());
        };
        let marked = self.ballots.marked(place).clone();
        let mut payload = json!({"storyId": self.story(), "value": marked.value});
        if let Some(confidence) = marked.confidence {
            payload["confidence"] = json!(confidence);
        }
        self.cast(tab, "vote:submit", Some(place), payload).await
    }

    async fn vote_in_vain(&mut self) -> Result<(), Failed> {
        let Some((person, tab)) = self.voter() else { return Ok(()) };
        let (place, mut payload) = self.ballot(person)?;
        let bad = match person == self.secret {
            true => self.ballots.no_card(),
            false => "4",
        };
        match self.dice.below(7) {
            0 => payload["storyId"] = json!("s99"),
            1 => payload["storyId"] = json!(self.any_story()),
            2 => payload["roundId"] = json!(self.round() + 1),
            3 => payload["value"] = json!(bad),
            4 => payload["confidence"] = json!(9),
            5 => {
                payload["requestId"] = json!("the-same");
                return self.cast(tab, "vote:change", place, payload).await;
            }
            _ => {
                // Without an acknowledgement the refusal is an event.
                payload["value"] = json!(bad);
                payload["storyId"] = json!("s98");
                let packet = format!("42{}", json!(["vote:submit", payload]));
                self.clients[tab].send(&packet).await?;
                let step = self.step.load(Ordering::Relaxed);
                return self.clients[tab].hear_one_of(step, &[&[r#"42["session:error""#]]).await;
            }
        }
        self.cast(tab, "vote:submit", place, payload).await
    }

    async fn retract(&mut self) -> Result<(), Failed> {
        let Some((person, tab)) = self.voter() else { return Ok(()) };
        let story = self.story();
        let ack = self.command(tab, "vote:retract", &json!({"storyId": story})).await?;
        if person == self.secret && ack["ok"] == json!(true) {
            self.ballots.is_taken_away(&story);
        }
        Ok(())
    }

    async fn reset(&mut self) -> Result<(), Failed> {
        let payload = match self.dice.below(3) {
            0 => json!({"newStory": {"title": self.dice.word(5)}}),
            1 => json!({"roundId": self.round()}),
            _ => json!({}),
        };
        self.lead("game:reset", payload).await
    }

    async fn restore(&mut self) -> Result<(), Failed> {
        let round = self.round().saturating_sub(1).max(1);
        self.lead("round:restore", json!({"roundId": round})).await
    }

    async fn stories(&mut self) -> Result<(), Failed> {
        let story = self.any_story();
        let word = self.dice.word(5);
        let (event, payload) = match self.dice.below(10) {
            0..=1 => ("story:create", json!({"title": word})),
            2..=5 => ("story:activate", json!({"storyId": story})),
            6 => ("story:finalize", json!({"storyId": story, "value": "L"})),
            7 => ("story:update", json!({"storyId": story, "title": word})),
            8 => ("story:delete", json!({"storyId": story})),
            _ => ("story:reorder", json!({"storyId": story})),
        };
        self.lead(event, payload).await
    }

    async fn configure(&mut self) -> Result<(), Failed> {
        let flag = self.dice.once_in(2);
        let payload = match self.dice.below(10) {
            0 => json!({"autoReveal": true, "revealCountdownMs": 0}),
            1 => json!({"autoReveal": true, "revealCountdownMs": 300}),
            2 => json!({"autoReveal": true, "revealCountdownMs": 10_000}),
            3 => json!({"autoReveal": false}),
            4 => json!({"allowChangeAfterReveal": flag}),
            5 => json!({"anonymous": flag}),
            6 => json!({"confidence": !self.dice.once_in(4)}),
            7 => json!({"listPasses": flag}),
            8 => json!({"deck": if flag { &self.deck } else { &self.other_deck }}),
            _ => {
                json!({"deck": if flag { &self.deck } else { &self.other_deck }, "force": true})
            }
        };
        // Another length would be taken for that of the running countdown.
        if self.now["round"]["phase"] != "countdown" {
            self.command(HANNA, "session:configure", &payload).await?;
        }
        Ok(())
    }

    async fn turn_spectator(&mut self) -> Result<(), Failed> {
        let Some((person, tab)) = self.voter() else { return Ok(()) };
        let is_spectator = !self.people[person].is_spectator;
        self.people[person].is_spectator = is_spectator;
        let story = self.story();
        if person == self.secret && is_spectator && self.now["round"]["phase"] != "revealed" {
            self.ballots.is_taken_away(&story);
        }
        let ack = if self.dice.once_in(2) {
            self.command(tab, "player:update", &json!({"isSpectator": is_spectator})).await?
        } else {
            let set = json!({"playerId": self.people[person].id, "isSpectator": is_spectator});
            self.command(HANNA, "player:set-spectator", &set).await?
        };
        if ack["ok"] == json!(true) { Ok(()) } else { Err(format!("turning spectator: {ack}")) }
    }

    async fn open_tab(&mut self) -> Result<(), Failed> {
        let Some((person, _)) = self.voter() else { return Ok(()) };
        if 2 < self.people[person].tabs.len() {
            return Ok(());
        }
        let (transport, instance) = (self.dice.of(&Transport::ALL), self.dice.below(2));
        let first = self.people[person].tabs[0];
        let name =
            format!("{}, tab {}", self.clients[first].name, self.people[person].tabs.len() + 1);
        let tab = self.client(&name);
        let token = &self.people[person].token;
        self.clients[tab].auth = json!({"sessionId": self.session, "playerToken": token});
        self.clients[tab].connect(transport, instance).await?;
        self.people[person].tabs.push(tab);
        Ok(())
    }

    /// Somebody's connection ends, in one way or another.
    async fn go_away(&mut self) -> Result<(), Failed> {
        let Some((person, tab)) = self.voter() else { return Ok(()) };
        let is_last = self.connected(person).len() == 1;
        match self.dice.below(4) {
            0 => self.clients[tab].goodbye(true).await?,
            1 => self.clients[tab].goodbye(false).await?,
            _ => self.clients[tab].cut().await,
        }
        if is_last {
            self.people[person].is_away = false;
            let id = self.people[person].id.clone();
            let left = [r#"42["player:left""#, &id];
            let lost = [r#"42["player:status_changed""#, &id, r#""isOnline":false"#];
            self.everybody_is_told(&[&left, &lost]).await?;
            self.breathe().await?;
        }
        Ok(())
    }

    async fn come_back(&mut self) -> Result<(), Failed> {
        let lost: Vec<(usize, usize)> = (2..2 + VOTERS.len())
            .filter(|person| !self.people[*person].is_gone)
            .flat_map(|person| self.people[person].tabs.iter().map(move |tab| (person, *tab)))
            .filter(|(_, tab)| !self.clients[*tab].is_connected())
            .collect();
        if lost.is_empty() {
            return self.vote("vote:change").await;
        }
        let (person, tab) = self.dice.of(&lost);
        let is_first = self.connected(person).is_empty();
        let (transport, instance) = (self.dice.of(&Transport::ALL), self.dice.below(2));
        if self.dice.once_in(4) {
            self.clients[tab].forget();
        }
        let token = &self.people[person].token;
        self.clients[tab].auth = json!({"sessionId": self.session, "playerToken": token});
        self.figures.reconnects += 1;
        if self.clients[tab].connect(transport, instance).await? {
            self.figures.recovered += 1;
        }
        if is_first {
            let id = self.people[person].id.clone();
            let joined = [r#"42["player:joined""#, &id];
            let there = [r#"42["player:status_changed""#, &id, r#""isOnline":true"#];
            let step = self.step.load(Ordering::Relaxed);
            for other in self.present().into_iter().filter(|other| *other != tab) {
                self.clients[other].hear_one_of(step, &[&joined, &there]).await?;
            }
        }
        Ok(())
    }

    async fn come_late(&mut self) -> Result<(), Failed> {
        if !self.may_come_late() {
            return Ok(());
        }
        self.late += 1;
        let (is_spectator, instance) = (self.dice.once_in(2), self.dice.below(2));
        self.take_seat(&format!("Late {}", self.late), is_spectator, instance).await
    }

    async fn leave_or_be_put_out(&mut self) -> Result<(), Failed> {
        let late = 2 + VOTERS.len();
        let mut guests: Vec<usize> =
            (late..self.people.len()).filter(|guest| !self.people[*guest].is_gone).collect();
        // Also the one whose votes vary, if rarely.
        if self.dice.once_in(4) && !self.connected(self.secret).is_empty() {
            guests.push(self.secret);
        }
        if guests.is_empty() {
            return Ok(());
        }
        let guest = self.dice.of(&guests);
        let tabs = self.connected(guest);
        if self.people[guest].is_gone || tabs.is_empty() {
            return Ok(());
        }
        let leaves = self.dice.once_in(2) && tabs.len() == 1 && guest != self.secret;
        let id = self.people[guest].id.clone();
        self.people[guest].is_gone = true;
        if leaves {
            let ack = self.clients[tabs[0]].ok("session:leave", &json!({})).await?;
            drop(ack);
            self.everybody_is_told(&[&[r#"42["player:left""#, &id]]).await?;
            self.breathe().await?;
            self.clients[tabs[0]].cut().await;
            return Ok(());
        }
        if guest == self.secret {
            let story = self.story();
            if self.now["round"]["phase"] != "revealed" {
                self.ballots.is_taken_away(&story);
            }
        }
        let ack = self.command(HANNA, "player:remove", &json!({"playerId": id})).await?;
        if ack["ok"] != json!(true) {
            return Err(format!("putting somebody out: {ack}"));
        }
        for tab in tabs {
            self.clients[tab].hear_end().await?;
        }
        Ok(())
    }

    async fn look_around(&mut self) -> Result<(), Failed> {
        let tab = self.anybody();
        match self.dice.below(4) {
            0 => self.command(tab, "history:get", &json!({})).await?,
            1 => self.command(tab, "heartbeat", &json!({"timestamp": 0})).await?,
            2 => self.command(SAM, "session:sync", &json!({"lastSeq": 1})).await?,
            _ => self.command(tab, "session:sync", &json!({})).await?,
        };
        Ok(())
    }

    async fn look_over_http(&mut self) -> Result<(), Failed> {
        let tab = self.anybody();
        let instance = self.dice.below(2);
        let token = self.clients[tab].token();
        let bearer = format!("Bearer {token}");
        let (session, code) = (self.session.clone(), self.code.clone());
        let check = json!({"sessionId": session, "playerToken": token}).to_string();
        let as_member = [("Authorization", bearer.as_str())];
        let as_json = [("Content-Type", "application/json")];
        let asked = match self.dice.below(8) {
            0 => ("GET", format!("/{session}"), &[][..], ""),
            1 => ("GET", format!("/{code}"), &[][..], ""),
            2..=3 => ("GET", format!("/{session}/state"), &as_member[..], ""),
            4 => ("GET", format!("/{code}/export?format=csv"), &as_member[..], ""),
            5 => ("GET", format!("/{session}/export?format=json"), &as_member[..], ""),
            6 => ("GET", format!("/{session}/export?format=md"), &as_member[..], ""),
            _ => ("POST", "/validate".to_owned(), &as_json[..], check.as_str()),
        };
        let (method, path, headers, body) = asked;
        let target = format!("/api/v1/sessions{path}");
        let reply = self.https[instance].ask(method, &target, headers, body).await?;
        // They tell of the moment and of the connection; the length is that of
        // the body, which is compared.
        let passing = ["date:", "content-length:", "connection:", "keep-alive:"];
        let head: Vec<&String> = reply
            .headers
            .iter()
            .filter(|line| !passing.iter().any(|name| line.to_ascii_lowercase().starts_with(name)))
            .collect();
        let line = format!("{method} {path} {} {head:?} {}", reply.status, reply.body);
        let name = format!("{} over HTTP", self.clients[tab].name);
        self.note_http(name, line);
        self.figures.rest += 1;
        Ok(())
    }

    async fn presence(&mut self) -> Result<(), Failed> {
        let Some((person, tab)) = self.voter() else { return Ok(()) };
        match self.dice.below(3) {
            0 => {
                let is_away = !self.people[person].is_away;
                self.people[person].is_away = is_away;
                self.command(tab, "presence:set", &json!({"away": is_away})).await?;
                let id = self.people[person].id.clone();
                let told = [r#"42["player:status_changed""#, &id];
                self.everybody_is_told(&[&told]).await
            }
            1 => {
                self.clients[tab].ok("reaction:send", &json!({"emoji": "🎉"})).await?;
                Ok(())
            }
            _ => {
                let update = json!({"avatar": self.dice.of(&["🐢", "🦊", "🐙"])});
                self.command(tab, "player:update", &update).await?;
                Ok(())
            }
        }
    }

    async fn rule(&mut self) -> Result<(), Failed> {
        let person = 2 + self.dice.below(VOTERS.len());
        let id = self.people[person].id.clone();
        match self.dice.below(4) {
            0 => {
                self.lead(
                    "session:lock",
                    json!({"locked": self.now["settings"]["locked"] == json!(false)}),
                )
                .await
            }
            1 => self.command(HANNA, "player:promote", &json!({"playerId": id})).await.map(drop),
            2 => self.command(HANNA, "player:demote", &json!({"playerId": id})).await.map(drop),
            // Somebody is nudged once in half a minute at the most, and time
            // must decide nothing here.
            _ if self.has_nudged => Ok(()),
            _ => {
                self.has_nudged = true;
                let ack = self.command(HANNA, "player:nudge", &json!({})).await?;
                let reached: Vec<String> = ack["playerIds"]
                    .as_array()
                    .map(|ids| ids.iter().filter_map(|id| id.as_str().map(str::to_owned)).collect())
                    .unwrap_or_default();
                let step = self.step.load(Ordering::Relaxed);
                let told = (0..self.people.len())
                    .filter(|person| reached.contains(&self.people[*person].id))
                    .flat_map(|person| self.connected(person));
                for tab in told.collect::<Vec<_>>() {
                    self.clients[tab].hear_one_of(step, &[&[r#"42["player:nudged""#]]).await?;
                }
                Ok(())
            }
        }
    }

    async fn timer(&mut self) -> Result<(), Failed> {
        let (event, payload) = match self.dice.below(5) {
            0..=1 => ("timer:start", json!({"duration": 600})),
            2 => ("timer:pause", json!({})),
            3 => ("timer:extend", json!({"seconds": 30})),
            _ => ("timer:stop", json!({})),
        };
        self.lead(event, payload).await
    }

    /// A timer that turns the cards, if there are any.
    async fn timer_to_its_end(&mut self) -> Result<(), Failed> {
        let start = json!({"duration": 1, "onExpire": "reveal"});
        self.command(HANNA, "timer:start", &start).await?;
        let expired = [r#"42["timer:updated""#, r#""status":"expired""#];
        self.everybody_is_told(&[&expired]).await?;
        self.breathe().await
    }

    /// The end, and a last look.
    pub(super) async fn end(&mut self) -> Result<(), Failed> {
        self.command(HANNA, "session:end", &json!({})).await?;
        for tab in self.present() {
            self.command(tab, "session:sync", &json!({})).await?;
            self.command(tab, "history:get", &json!({})).await?;
        }
        for _ in 0..4 {
            self.look_over_http().await?;
        }
        self.is_over = true;
        Ok(())
    }
}
