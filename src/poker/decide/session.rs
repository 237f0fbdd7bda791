//! The session as a whole: settings, lock, end.

use crate::poker::command::{Actor, PasswordChange};
use crate::poker::decide::{Decision, guard, round};
use crate::poker::event::{EndReason, Fact};
use crate::poker::ids::{Millis, RoundId};
use crate::poker::refusal::Refusal;
use crate::poker::reply::Reply;
use crate::poker::round::Round;
use crate::poker::session::Session;
use crate::poker::settings::SettingsPatch;

/// The host changes settings. Another deck while votes lie on the table (or
/// wait with a parked round) needs force, and then a new round begins.
pub(super) fn configure(
    session: &Session,
    by: Actor,
    patch: &SettingsPatch,
    password: &PasswordChange,
    force: bool,
    now: Millis,
) -> Result<Decision, Refusal> {
    guard::host(session, by)?;
    patch.check(&session.policy)?;
    let (settings, mut changed) = patch.applied_to(&session.settings);
    let next_password = match password {
        PasswordChange::Keep => session.password.clone(),
        PasswordChange::Remove => None,
        PasswordChange::Set(hash) => Some(hash.clone()),
    };
    if next_password != session.password {
        changed.push("passwordProtected");
    }
    if changed.is_empty() {
        return Ok(Decision::nothing(Reply::Done));
    }

    let changes_deck = changed.contains(&"deck");
    let has_votes = !session.round.votes.is_empty();
    let has_parked = session.stories.iter().any(|story| story.parked.is_some());
    if changes_deck && (has_votes || has_parked) && !force {
        return Err(Refusal::DeckInUse);
    }
    let mut facts = Vec::new();
    // The new round comes first: at no time do cards of the old deck lie on a
    // table that plays with the new one.
    if changes_deck && has_votes {
        let next = Round::new(RoundId(session.next_round), session.round.story, now);
        facts.push(round::new_round(session, &next, None, now));
    }
    facts.push(Fact::Configured { settings: Box::new(settings), password: next_password, changed });
    Ok(Decision::facts(facts))
}

/// A facilitator closes the door to new seats, or opens it.
pub(super) fn lock(session: &Session, by: Actor, is_locked: bool) -> Result<Decision, Refusal> {
    guard::facilitator(session, by)?;
    let patch = SettingsPatch { locked: Some(is_locked), ..SettingsPatch::default() };
    let (settings, changed) = patch.applied_to(&session.settings);
    if changed.is_empty() {
        return Ok(Decision::nothing(Reply::Done));
    }
    Ok(Decision::fact(Fact::Configured {
        settings: Box::new(settings),
        password: session.password.clone(),
        changed,
    }))
}

/// The host ends the session for everybody.
pub(super) fn end(session: &Session, by: Actor) -> Result<Decision, Refusal> {
    guard::host(session, by)?;
    Ok(Decision::fact(Fact::Ended { reason: EndReason::Ended }))
}
