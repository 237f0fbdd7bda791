//! What was found valid a moment ago. Only a yes is remembered, for five
//! seconds at the most: whoever gets a seat is let in at once.

use std::collections::HashMap;

use cardroom::api::rest::ValidToken;
use cardroom::poker::ids::{Millis, SessionRef};
use sha2::{Digest, Sha256};

/// How long a token that was revoked may still be called valid.
pub(crate) const KEPT_MS: u64 = 5_000;
const ANSWERS_MAX: usize = 1_024;

/// A session as it was asked for, and the token: only as their hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Question([u8; 32]);

impl Question {
    pub(crate) fn new(asked: SessionRef, token: &str) -> Self {
        let hash = match asked {
            SessionRef::Id(id) => Sha256::new().chain_update("id ").chain_update(id.as_str()),
            SessionRef::Code(code) => {
                Sha256::new().chain_update("code ").chain_update(code.as_str())
            }
        };
        Self(hash.chain_update(" ").chain_update(token).finalize().into())
    }
}

#[derive(Default)]
pub(crate) struct Recent {
    answers: HashMap<Question, Noted>,
    /// Grows with every use.
    uses: u64,
}

struct Noted {
    valid: ValidToken,
    since: Millis,
    last_use: u64,
}

impl Recent {
    pub(crate) fn find(&mut self, question: &Question, now: Millis) -> Option<ValidToken> {
        self.uses += 1;
        let noted = self.answers.get_mut(question)?;
        // The clock may have been set back.
        let is_fresh = noted.since <= now && now < noted.since.add_ms(KEPT_MS);
        if !is_fresh || noted.valid.expires_at.0 <= now {
            self.answers.remove(question);
            return None;
        }
        noted.last_use = self.uses;
        Some(noted.valid.clone())
    }

    /// The one that was used longest ago makes room.
    pub(crate) fn note(&mut self, question: Question, valid: &ValidToken, now: Millis) {
        if self.answers.len() == ANSWERS_MAX {
            let oldest = self.answers.iter().min_by_key(|(_, noted)| noted.last_use);
            if let Some(oldest) = oldest.map(|(question, _)| *question) {
                self.answers.remove(&oldest);
            }
        }
        let noted = Noted { valid: valid.clone(), since: now, last_use: self.uses };
        self.answers.insert(question, noted);
    }
}

#[cfg(test)]
mod tests {
    use cardroom::api::snapshot::Can;
    use cardroom::api::time::Iso;
    use cardroom::poker::ids::{JoinCode, PlayerId, SessionId};
    use cardroom::poker::seat::Role;

    use super::*;

    const NOW: Millis = Millis(1_700_000_000_000);

    fn question(token: &str) -> Question {
        Question::new(SessionRef::Id(SessionId::from_random([1; 10])), token)
    }

    fn valid() -> ValidToken {
        let session = SessionId::from_random([1; 10]);
        let can = Can { reveal: true, reset: true, story: true, timer: true, manage: true };
        let until = Iso(NOW.add_ms(60_000));
        ValidToken::of(session, PlayerId::from_random([2; 16]), Role::Host, can, until)
    }

    #[test]
    fn a_yes_is_known_for_five_seconds() {
        let mut recent = Recent::default();
        recent.note(question("a"), &valid(), NOW);
        assert!(recent.find(&question("a"), NOW.add_ms(KEPT_MS - 1)).is_some());
        assert!(recent.find(&question("b"), NOW).is_none());
        assert!(recent.find(&question("a"), NOW.add_ms(KEPT_MS)).is_none());
        recent.note(question("a"), &valid(), NOW);
        assert!(recent.find(&question("a"), NOW.saturating_sub_ms(1)).is_none(), "set back");
    }

    #[test]
    fn never_longer_than_the_token() {
        let mut recent = Recent::default();
        let late = NOW.add_ms(60_000 - 1);
        recent.note(question("a"), &valid(), late);
        assert!(recent.find(&question("a"), late).is_some());
        assert!(recent.find(&question("a"), late.add_ms(1)).is_none());
    }

    #[test]
    fn the_least_used_makes_room() {
        let mut recent = Recent::default();
        for number in 0..ANSWERS_MAX {
            recent.note(question(&number.to_string()), &valid(), NOW);
            assert!(recent.find(&question("0"), NOW).is_some());
        }
        recent.note(question("one more"), &valid(), NOW);
        assert_eq!(recent.answers.len(), ANSWERS_MAX);
        assert!(recent.find(&question("0"), NOW).is_some(), "it was used all the time");
        assert!(recent.find(&question("1"), NOW).is_none());
    }

    #[test]
    fn an_id_and_a_code_are_two_questions() {
        let id = SessionRef::Id(SessionId::from_random([0; 10]));
        let code = SessionRef::Code(JoinCode::from_random([0; 5]));
        assert_ne!(Question::new(id, "t"), Question::new(code, "t"));
    }
}
