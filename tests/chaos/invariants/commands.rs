//! I1 to I3 and I5: what became of the commands. Acknowledged: exactly once
//! in the log, or without any effect to have. Refused: never. Unknown: once
//! at the most. And in the order in which they were sent and acknowledged.

use std::collections::HashMap;

use serde_json::Value;

use cardroom::poker::command::{Action, Aim, Ballot, Command};
use cardroom::poker::ids::{PlayerId, RoundId, SessionId};
use cardroom::poker::play::play;
use cardroom::poker::session::Session;
use cardroom::poker::tally::Confidence;

use crate::checker::Leniency;
use crate::history::{self, History, Outcome};
use crate::truth::{Entry, Truth, Visitor};
use crate::verdict::Verdict;

/// Where in the logs a command stands.
pub(crate) type Places = HashMap<String, Vec<Place>>;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) session: SessionId,
    pub(crate) version: u64,
    pub(crate) by: Option<PlayerId>,
}

pub(crate) fn check(
    history: &History,
    truth: &Truth,
    leniency: Leniency,
    verdict: &mut Verdict,
) -> Places {
    let mut places: Places = HashMap::new();
    for (session, log) in &truth.sessions {
        for Entry { version, event, .. } in &log.entries {
            if let Some((request, _)) = &event.request {
                let place = Place { session: *session, version: *version, by: event.by };
                places.entry(request.as_str().to_owned()).or_default().push(place);
            }
        }
    }
    for (cmd, command) in &history.commands {
        let found = places.get(cmd).map_or(&[][..], Vec::as_slice);
        if 1 < found.len() {
            verdict.duplicated += 1;
            let versions: Vec<u64> = found.iter().map(|place| place.version).collect();
            let invariant = if matches!(command.outcome, Outcome::Ok { .. }) { "I1" } else { "I3" };
            verdict.violated(invariant, || {
                format!("{cmd} stands {} times: {versions:?}", found.len())
            });
        }
        if let (Outcome::Fail { code }, [place, ..]) = (&command.outcome, found)
            && !leniency.goes_back
        {
            let version = place.version;
            verdict
                .violated("I2", || format!("{cmd} was refused ({code}) and stands at {version}"));
        }
        let player = history.clients.get(&command.client).and_then(|client| client.player);
        if found.iter().any(|place| place.by != player) {
            verdict.violated("I1", || format!("{cmd} was done in somebody else's name"));
        }
    }
    places
}

/// I5: what was sent after another command was acknowledged stands behind it.
pub(crate) fn check_real_time(
    history: &History,
    places: &Places,
    leniency: Leniency,
    verdict: &mut Verdict,
) {
    if leniency.goes_back {
        return;
    }
    // (time, 0 = acknowledged | 1 = sent, version, command), by session.
    let mut moments: HashMap<SessionId, Vec<(u64, u8, u64, &str)>> = HashMap::new();
    for (cmd, command) in &history.commands {
        let Some([place]) = places.get(cmd).map(Vec::as_slice) else { continue };
        let of_session = moments.entry(place.session).or_default();
        of_session.push((command.invoked, 1, place.version, cmd));
        if let Outcome::Ok { at, .. } = command.outcome {
            of_session.push((at, 0, place.version, cmd));
        }
    }
    for mut of_session in moments.into_values() {
        of_session.sort_unstable();
        let mut acknowledged = (0, "");
        for (_, kind, version, cmd) in of_session {
            if kind == 0 {
                acknowledged = acknowledged.max((version, cmd));
            } else if version < acknowledged.0 {
                let (before, other) = acknowledged;
                verdict.violated("I5", || {
                    format!("{cmd} stands at {version}, before {other} at {before}, known by then")
                });
            }
        }
    }
}

/// Acknowledged commands without an entry: there was nothing to change, at
/// the place that the acknowledgement names. Otherwise they are lost.
pub(crate) struct Effects<'a> {
    session: SessionId,
    pending: HashMap<u64, Vec<Pending<'a>>>,
    unexplained: Vec<String>,
}

struct Pending<'a> {
    cmd: &'a str,
    command: Option<Command>,
}

impl<'a> Effects<'a> {
    pub(crate) fn new(session: SessionId, history: &'a History, places: &Places) -> Self {
        let mut effects = Self { session, pending: HashMap::new(), unexplained: Vec::new() };
        for (cmd, command) in &history.commands {
            let Outcome::Ok { ack, .. } = &command.outcome else { continue };
            if places.contains_key(cmd) || history.session_of(command) != Some(session) {
                continue;
            }
            let player = history.clients.get(&command.client).and_then(|client| client.player);
            match (ack.get("seq").and_then(Value::as_u64), player) {
                (Some(seq), Some(player)) => {
                    let command = action(command).map(|action| Command::by_seat(player, action));
                    effects.pending.entry(seq).or_default().push(Pending { cmd, command });
                }
                _ => effects.unexplained.push(cmd.clone()),
            }
        }
        effects
    }

    pub(crate) fn finish(self, verdict: &mut Verdict, leniency: Leniency) {
        let left = self.pending.into_values().flatten().map(|pending| pending.cmd.to_owned());
        for cmd in left.chain(self.unexplained) {
            verdict.lost += 1;
            if !leniency.goes_back {
                let session = self.session;
                verdict
                    .violated("I1", || format!("{cmd} was acknowledged and is lost ({session})"));
            }
        }
    }
}

impl Visitor for Effects<'_> {
    fn after(&mut self, state: &Session, _entry: &Entry) {
        let Some(pending) = self.pending.get_mut(&state.seq) else { return };
        pending.retain(|one| {
            let Some(command) = &one.command else { return true };
            let played = play(&mut state.clone(), command, state.touched_at);
            !played.is_ok_and(|played| played.events.is_empty())
        });
        if pending.is_empty() {
            self.pending.remove(&state.seq);
        }
    }
}

/// The command as the rules know it, of those that may change nothing.
fn action(command: &history::Command) -> Option<Action> {
    let payload = &command.payload;
    let number = |key: &str| {
        payload.get(key).and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok())
    };
    let story = payload.get("storyId").and_then(Value::as_str).and_then(|id| id.parse().ok());
    let round = number("roundId").map(RoundId);
    let aim = Aim { story, round };
    let ballot = || {
        let confidence = number("confidence").and_then(|number| u8::try_from(number).ok());
        Some(Ballot {
            story: story?,
            round,
            value: payload.get("value")?.as_str()?.into(),
            confidence: confidence.and_then(|number| Confidence::try_from(number).ok()),
        })
    };
    match command.event.as_str() {
        "vote:submit" => ballot().map(Action::SubmitVote),
        "vote:change" => ballot().map(Action::ChangeVote),
        "vote:retract" => Some(Action::RetractVote { aim }),
        "cards:reveal" => Some(Action::Reveal { aim }),
        "game:reset" if payload.get("newStory").is_none() => {
            Some(Action::Reset { aim, new_story: None })
        }
        "story:activate" => Some(Action::ActivateStory { story: story?, round }),
        "timer:stop" => Some(Action::StopTimer),
        _ => None,
    }
}
