//! I7, seen from outside: a reveal shows for everybody the last vote that
//! stands before it, as its voter sent it.

use std::collections::HashMap;

use serde_json::Value;

use cardroom::poker::event::Fact;
use cardroom::poker::ids::{PlayerId, RoundId};

use crate::history::History;
use crate::invariants::commands::Places;
use crate::truth::Truth;
use crate::verdict::Verdict;

pub(crate) fn check(history: &History, truth: &Truth, places: &Places, verdict: &mut Verdict) {
    let sent: HashMap<_, &str> = history
        .commands
        .iter()
        .filter_map(|(cmd, command)| {
            let [place] = places.get(cmd)?.as_slice() else { return None };
            let value = command.payload.get("value").and_then(Value::as_str)?;
            Some(((place.session, place.version), value))
        })
        .collect();
    for (id, log) in &truth.sessions {
        let mut votes: HashMap<(RoundId, PlayerId), &str> = HashMap::new();
        for entry in &log.entries {
            match &entry.event.fact {
                Fact::VoteCast { player, round, .. } => {
                    if let Some(value) = sent.get(&(*id, entry.version)) {
                        votes.insert((*round, *player), value);
                    }
                }
                Fact::VoteDropped { player, round, .. } => {
                    votes.remove(&(*round, *player));
                }
                Fact::Revealed { round, results, .. } => {
                    let shown = |player: PlayerId| {
                        let vote = results.votes.iter().find(|vote| vote.player == Some(player))?;
                        vote.card.as_ref().map(cardroom::poker::card::Card::as_str)
                    };
                    for ((_, player), value) in votes.iter().filter(|((of, _), _)| of == round) {
                        if shown(*player) != Some(value) {
                            let version = entry.version;
                            verdict.violated("I7", || {
                                format!(
                                    "{id} at {version}: the vote of {player} is not shown as sent"
                                )
                            });
                        }
                    }
                }
                _ => {}
            }
        }
    }
}
