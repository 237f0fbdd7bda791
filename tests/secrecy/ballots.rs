//! The votes of the one whose votes vary: drawn in the first run, and in the
//! second one others wherever nobody may have seen them.

use std::collections::BTreeMap;

use crate::secrecy::dice::Dice;
use crate::secrecy::wire::Failed;

/// Votes whose words are told apart by their place in the schedule.
#[derive(Debug, Clone)]
pub(super) struct Ballots {
    labels: Vec<String>,
    dice: Dice,
    /// For the second run.
    given: Option<Vec<Marked>>,
    cast: Vec<Ballot>,
    /// Story → the vote that lies there.
    standing: BTreeMap<String, usize>,
}

#[derive(Debug, Clone)]
pub(super) struct Ballot {
    pub(super) marked: Marked,
    /// Votes that it must differ from, or it would be no other one.
    unlike: Vec<usize>,
    /// When everybody saw it.
    shown_in: Option<u32>,
}

/// What is on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Marked {
    pub(super) value: String,
    pub(super) confidence: Option<u8>,
}

impl Ballots {
    pub(super) const fn drawn(labels: Vec<String>, dice: Dice) -> Self {
        Self { labels, dice, given: None, cast: Vec::new(), standing: BTreeMap::new() }
    }

    pub(super) fn given(labels: Vec<String>, dice: Dice, marked: Vec<Marked>) -> Self {
        Self { given: Some(marked), ..Self::drawn(labels, dice) }
    }

    /// One that is unlike every one that lies somewhere.
    pub(super) fn next(&mut self, is_sure: bool) -> Result<usize, Failed> {
        let place = self.cast.len();
        let mut unlike: Vec<usize> = self.standing.values().copied().collect();
        unlike.extend(place.checked_sub(1));
        let marked = match &self.given {
            Some(given) => given.get(place).cloned().ok_or("more votes than in the first run")?,
            None => {
                let taken: Vec<&String> =
                    unlike.iter().map(|other| &self.cast[*other].marked.value).collect();
                let free: Vec<&String> =
                    self.labels.iter().filter(|label| !taken.contains(label)).collect();
                let value = (*self.dice.of(&free)).clone();
                let confidence = is_sure.then(|| 1 + self.dice.below(5) as u8);
                Marked { value, confidence }
            }
        };
        self.cast.push(Ballot { marked, unlike, shown_in: None });
        Ok(place)
    }

    pub(super) fn marked(&self, place: usize) -> &Marked {
        &self.cast[place].marked
    }

    /// No card of any deck here; another one in each run.
    pub(super) fn no_card(&mut self) -> &'static str {
        self.dice.of(&["4", "777", "no card", "not a card"])
    }

    pub(super) fn lies(&mut self, story: &str, place: usize) {
        self.standing.insert(story.to_owned(), place);
    }

    pub(super) fn lying(&self, story: &str) -> Option<usize> {
        self.standing.get(story).copied()
    }

    pub(super) fn is_taken_away(&mut self, story: &str) {
        self.standing.remove(story);
    }

    /// The cards of a story were turned.
    pub(super) fn is_shown(&mut self, story: &str, step: u32) {
        if let Some(place) = self.standing.get(story) {
            self.cast[*place].shown_in.get_or_insert(step);
        }
    }

    /// The votes of the second run: the same where they were shown before the
    /// horizon, and others everywhere else.
    pub(super) fn varied(&self, horizon: u32, dice: &mut Dice) -> Vec<Marked> {
        let mut varied: Vec<Marked> = Vec::new();
        for (place, ballot) in self.cast.iter().enumerate() {
            let is_kept = |ballot: &Ballot| ballot.shown_in.is_some_and(|step| step < horizon);
            if is_kept(ballot) {
                varied.push(ballot.marked.clone());
                continue;
            }
            let own = &ballot.marked.value;
            let before = ballot.unlike.iter().map(|other| &varied[*other].value);
            let after = self.cast[place + 1..]
                .iter()
                .filter(|later| is_kept(later) && later.unlike.contains(&place))
                .map(|later| &later.marked.value);
            let taken: Vec<&String> = before.chain(after).chain([own]).collect();
            let free: Vec<&String> =
                self.labels.iter().filter(|label| !taken.contains(label)).collect();
            let confidence =
                ballot.marked.confidence.map(|own| (own + dice.below(4) as u8) % 5 + 1);
            varied.push(Marked { value: (*dice.of(&free)).clone(), confidence });
        }
        varied
    }

    pub(super) fn differing_from(&self, other: &Self) -> usize {
        self.cast.iter().zip(&other.cast).filter(|(a, b)| a.marked != b.marked).count()
    }
}
