//! What is true of every session after every event.

use std::collections::BTreeSet;

use cardroom::poker::event::{Event, Fact};
use cardroom::poker::evolve::evolve;
use cardroom::poker::ids::{Millis, PlayerId};
use cardroom::poker::names::same;
use cardroom::poker::round::Phase;
use cardroom::poker::seat::{OUTCOMES_MAX, Presence, Role, Seat};
use cardroom::poker::session::{Opening, Session};
use cardroom::poker::timer::{TIMER_SECONDS_MAX, TimerPhase};
use cardroom::poker::view::PlayerView;
use cardroom::store::codec::{kept, kept_session};

/// Applies `events` to `before`, one by one: each leaves a sound session, says
/// of it what is true, and together they lead to `after`.
pub(super) fn hold_through(before: &Session, events: &[Event], after: &Session) {
    let mut session = before.clone();
    for event in events {
        let seq = session.seq + u64::from(event.fact.is_announced());
        assert_eq!(event.seq, seq, "seq counts announced facts: {:?}", event.fact);
        assert!(session.touched_at <= event.at, "time moves forward");
        assert!(kept(event).as_ref() == Ok(event), "a store gives back {:?}", event.fact);
        evolve(&mut session, event);
        tells_the_truth(&event.fact, &session);
    }
    is_sound(&session);
    assert!(session == *after, "the events lead to the session that `play` left");
}

/// The log alone leads to the same session, volatile events left out.
pub(super) fn replay(opening: &Opening, opened_at: Millis, log: &[Event], session: &Session) {
    let mut replayed = Session::open(opening, opened_at);
    for event in log.iter().filter(|event| !event.fact.is_volatile()) {
        evolve(&mut replayed, event);
    }
    assert!(replayed == *session, "a replay leads to the same session");
    assert!(kept_session(session).as_ref() == Ok(session), "a store gives it back");
}

/// The views and counts in a fact are those of the session that has it.
fn tells_the_truth(fact: &Fact, session: &Session) {
    let is_true = |view: &PlayerView| {
        if let Some(seat) = session.seats.get(&view.id) {
            assert_eq!(*view, session.player_view(seat), "{fact:?}");
        }
    };
    let story_is_true = |view: &cardroom::poker::view::StoryView| {
        assert_eq!(Some(view), session.story_view(view.id).as_ref(), "{fact:?}");
    };
    match fact {
        Fact::SeatTaken { player, player_count, .. }
        | Fact::SeatReturned { player, player_count, .. } => {
            is_true(player);
            assert_eq!(*player_count, session.player_count());
        }
        Fact::SeatUpdated { player } => is_true(player),
        Fact::HostChanged { new, previous, .. } => {
            [new, previous].into_iter().flatten().for_each(|view| is_true(view));
        }
        Fact::SeatLeft { player_count, .. } | Fact::SeatRemoved { player_count, .. } => {
            assert_eq!(*player_count, session.player_count());
        }
        Fact::StatusSettled { player, is_online, is_away, last_seen_at, .. } => {
            let seat = session.seats.get(player).expect("a seat");
            assert_eq!(
                (*is_online, *is_away, *last_seen_at),
                (seat.is_online(), seat.is_away, seat.last_seen_at)
            );
        }
        Fact::VoteCast { counts, story, round, .. }
        | Fact::VoteDropped { counts, story, round, .. } => {
            assert_eq!(*counts, session.counts());
            assert_eq!((*story, *round), (session.round.story, session.round.id));
        }
        Fact::Revealed { results, round, story }
        | Fact::VoteAmended { results, round, story, .. }
        | Fact::RoundRestored { results, round, story } => {
            assert_eq!(Some(&**results), session.round.results());
            assert_eq!((*story, *round), (session.round.story, session.round.id));
        }
        Fact::RoundReset { story, round, timer, .. }
        | Fact::StoryActivated { story, round, timer, .. } => {
            story_is_true(story);
            assert!(story.is_active);
            assert_eq!(**round, session.round_view());
            assert_eq!(*timer, session.timer);
        }
        Fact::StoryUpdated { story } => story_is_true(story),
        Fact::StoryCreated { view, .. } => story_is_true(view),
        Fact::StoriesImported { views, .. } | Fact::StoriesReordered { views, .. } => {
            assert_eq!(*views, session.story_views());
        }
        Fact::TimerChanged { timer } => assert_eq!(*timer, session.timer),
        Fact::Configured { settings, .. } => assert_eq!(**settings, session.settings),
        Fact::ExpiryAnnounced { expires_at } => assert_eq!(*expires_at, session.expires_at),
        _ => {}
    }
}

fn is_sound(session: &Session) {
    hosts_are_sound(session);
    rounds_are_sound(session);
    nothing_grows_without_end(session);

    let ids: BTreeSet<_> = session.stories.iter().map(|story| story.id).collect();
    assert_eq!(ids.len(), session.stories.len(), "story ids are unique");
    assert!(ids.iter().all(|id| id.0 < session.next_story));
    let restorable = session.restorable.as_ref().map(|restorable| restorable.round.story);
    assert!(restorable.is_none_or(|story| ids.contains(&story)));

    let seats: Vec<_> = session.seats.values().collect();
    for (index, seat) in seats.iter().enumerate() {
        assert!(seats[..index].iter().all(|other| !same(&other.name, &seat.name)), "unique names");
        assert_eq!(seat.is_online(), !seat.instances.is_empty());
        let in_history = session.history.iter().any(|round| round.voters.contains(&seat.id));
        assert_eq!(seat.in_history, in_history, "the mark says what the history holds");
    }
    sums_are_right(session);
}

/// What is added up once per change of a seat is what adding it up now gives.
fn sums_are_right(session: &Session) {
    let seats = || session.seats.values();
    let count = |is_one: &dyn Fn(&Seat) -> bool| seats().filter(|seat| is_one(seat)).count() as u32;
    assert_eq!(session.player_count(), count(&Seat::is_at_table));
    assert_eq!(session.eligible_count(), count(&|seat| session.is_eligible(seat)));
    assert_eq!(session.seats.is_anybody_online(), seats().any(Seat::is_online));
    let away: Vec<_> = session.seats.away().map(|seat| seat.id).collect();
    let is_away = |seat: &&Seat| matches!(seat.presence, Presence::Away { .. });
    assert_eq!(away, seats().filter(is_away).map(|seat| seat.id).collect::<Vec<_>>());
    let leaves = seats().filter_map(|seat| match seat.presence {
        Presence::Grace { leaves_at, .. } => Some((leaves_at, seat.id)),
        _ => None,
    });
    assert_eq!(session.seats.next_leave(), leaves.min());
    let told = seats().filter_map(|seat| Some((seat.announced.due?, seat.id)));
    assert_eq!(session.seats.next_status(), told.min());
    let instances: BTreeSet<_> = seats().flat_map(|seat| &seat.instances).copied().collect();
    assert!(session.seats.instances().iter().eq(&instances));
}

fn hosts_are_sound(session: &Session) {
    let by_role: Vec<PlayerId> =
        session.seats.values().filter(|seat| seat.role == Role::Host).map(|seat| seat.id).collect();
    assert_eq!(by_role, [session.host], "exactly one host");
    if let Some(acting) = session.acting_host {
        let seat = session.seats.get(&acting).expect("the acting host's seat");
        assert!(seat.is_at_table());
        let host = session.seats.get(&session.host).expect("the host's seat");
        assert!(!host.is_online(), "nobody acts for a host who is there");
    }
}

fn rounds_are_sound(session: &Session) {
    let round = &session.round;
    assert!(session.story(round.story).is_some(), "the current story exists");
    assert!(round.id.0 < session.next_round);
    assert_eq!(round.is_revealed(), round.results().is_some());
    match &round.phase {
        Phase::Voting => {}
        Phase::Countdown { .. } => assert!(!round.votes.is_empty(), "a countdown to something"),
        Phase::Revealed(results) => {
            assert!(!round.votes.is_empty());
            let played = results.votes.iter().filter(|vote| vote.card.is_some());
            assert_eq!(played.count(), round.votes.len(), "the list has every vote");
            assert_eq!(results.tally.total_votes as usize, round.votes.len());
        }
    }
    if !round.is_revealed() {
        for (player, vote) in &round.votes {
            let seat = session.seats.get(player).expect("a known seat");
            assert!(!seat.is_spectator, "spectators have no vote");
            assert!(session.deck().index_of(vote.disclose().card).is_some());
        }
        assert!(session.is_open() || round.votes.is_empty(), "hidden votes end with the session");
    }
    for story in &session.stories {
        let Some(parked) = &story.parked else { continue };
        assert_eq!(parked.story, story.id);
        assert_ne!(story.id, round.story, "what runs is not parked");
        assert!(session.is_open() && !parked.is_revealed());
        assert!(parked.votes.keys().all(|player| session.seats.contains_key(player)));
    }
    for summary in &session.history {
        assert!(summary.results.is_some() || summary.voters.is_empty(), "only counts");
        assert!(summary.results.is_none() || summary.voters.len() == summary.vote_count as usize);
    }
}

fn nothing_grows_without_end(session: &Session) {
    let policy = &session.policy;
    let seats_max = usize::from(policy.players_max) + usize::from(policy.kept_seats_max) + 2;
    assert!(session.seats.len() <= seats_max);
    assert!(session.seats.values().all(|seat| seat.outcomes.len() <= OUTCOMES_MAX));
    assert!(!session.stories.is_empty());
    assert!(session.stories.len() <= usize::from(policy.stories_max));
    assert!(session.history.len() <= usize::from(policy.history_rounds_max));
    assert!(session.removed.len() <= usize::from(policy.removed_seats_max));
    let timer_ms_max = u64::from(TIMER_SECONDS_MAX) * 1_000;
    assert!(session.timer.duration_ms <= timer_ms_max);
    if let TimerPhase::Paused { remaining_ms } = session.timer.phase {
        assert!(remaining_ms <= session.timer.duration_ms);
    }
}
