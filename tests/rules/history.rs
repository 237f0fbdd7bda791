//! Rounds that end: reset, history, restore.

use cardroom::poker::command::Action;
use cardroom::poker::event::Fact;
use cardroom::poker::ids::{RoundId, StoryId};
use cardroom::poker::reply::Reply;
use cardroom::poker::view::StoryStatus;

use crate::rules::table::*;

#[test]
fn a_reset_puts_the_round_away_and_begins_the_next() {
    let mut table = revealed();
    table
        .when("Hana", reset())
        .then("RoundReset")
        .replies(&Reply::NewRound { story: StoryId(1), round: RoundId(2) });
    assert_eq!(table.session.vote_count(), 0);
    let round = table.session.history.back().expect("the round");
    assert_eq!((round.id, round.vote_count), (RoundId(1), 1));
    assert!(round.results.is_some());
    assert_eq!(table.session.current_story().rounds, 1);
}

#[test]
fn an_unrevealed_round_leaves_only_counts_behind() {
    let mut table = Table::seating(["Ben"]);
    table.when_as("Ben", "r1", vote("5")).then("VoteCast");
    table.when("Hana", reset()).then("RoundReset");
    let round = table.session.history.back().expect("the round");
    assert_eq!((round.vote_count, &round.results), (1, &None));
    assert!(round.voters.is_empty());
    assert!(table.session.restorable.is_none());
    // Not even the remembered answer to the voter holds the value.
    table.when_as("Ben", "r1", vote("5")).changes_nothing().replies(&Reply::Done);
}

#[test]
fn a_reset_of_an_untouched_round_changes_nothing() {
    let mut table = Table::seating([]);
    let same = Reply::NewRound { story: StoryId(1), round: RoundId(1) };
    table.when("Hana", reset()).changes_nothing().replies(&same);
}

#[test]
fn a_reset_with_a_story_goes_on_to_it() {
    let mut table = Table::seating([]);
    let told = table.when("Hana", reset_to("Next"));
    let Fact::RoundReset { story, round, .. } = told.only_fact() else { panic!("a reset") };
    assert_eq!((story.id, story.order_index, story.status), (StoryId(2), 1, StoryStatus::Voting));
    assert_eq!((round.id, round.story), (RoundId(2), StoryId(2)));
    assert!(table.session.history.is_empty(), "nobody touched the first round");
}

#[test]
fn a_reset_needs_the_permission_and_the_round_that_was_seen() {
    let mut table = revealed();
    table.when("Ben", reset()).refused("FORBIDDEN");
    table.when("Nobody", reset()).refused("NOT_JOINED");
    let stale = |round| Action::Reset { aim: aim_at_round(round), new_story: None };
    table.when("Hana", stale(2)).refused("STALE_ROUND");
    let elsewhere = cardroom::poker::command::Aim { story: Some(StoryId(7)), round: None };
    table.when("Hana", Action::Reset { aim: elsewhere, new_story: None }).refused("STALE_STORY");
    // A reveal that came first does not make the reset stale: same round.
    table.when("Hana", stale(1)).then("RoundReset");
}

#[test]
fn a_reset_to_a_new_story_needs_room_in_the_list() {
    let mut table = Table::opened_with(|_, policy| policy.stories_max = 1);
    table.comes_back("Hana").then("SeatReturned");
    table.when("Hana", reset_to("Next")).refused("STORY_LIMIT");
}

#[test]
fn a_reset_stops_the_timer_or_starts_it_where_that_is_set() {
    let mut table = revealed();
    table.when("Hana", start_timer(60)).then("TimerChanged");
    table.when("Hana", reset()).then("RoundReset");
    assert!(!table.session.timer.is_live());

    let mut table = Table::seating_with([], |settings| settings.timer_auto_start = true);
    table.when("Hana", vote("5")).then("VoteCast");
    table.when("Hana", reset()).then("RoundReset");
    assert_eq!(table.session.timer.remaining_ms(table.now), MINUTE);
}

#[test]
fn a_round_comes_back_within_a_minute() {
    let mut table = revealed();
    let before = table.session.round.clone();
    table.when("Hana", reset()).then("RoundReset");
    table.sleeps(MINUTE);
    table
        .when("Hana", restore(1))
        .then("RoundRestored")
        .replies(&Reply::Revealed { round: RoundId(1), already: false });
    assert!(table.session.round == before);
    assert!(table.session.history.is_empty());
    assert_eq!(table.session.current_story().rounds, 0);
    // The number of the round in between is not used again.
    table.when("Hana", reset()).then("RoundReset");
    assert_eq!(table.session.round.id, RoundId(3));
}

#[test]
fn a_round_does_not_come_back_when_it_is_too_late_or_another_one() {
    let mut table = revealed();
    table.when("Hana", restore(1)).refused("STALE_ROUND");
    table.when("Hana", reset()).then("RoundReset");
    table.when("Ben", restore(1)).refused("FORBIDDEN");
    table.when("Nobody", restore(1)).refused("NOT_JOINED");
    table.when("Hana", restore(7)).refused("STALE_ROUND");
    table.when("Ben", vote("3")).then("VoteCast");
    table.when("Hana", restore(1)).refused("STALE_ROUND");
    table.when("Ben", retract()).then("VoteDropped");
    table.sleeps(MINUTE + 1);
    table.when("Hana", restore(1)).refused("STALE_ROUND");
}

#[test]
fn a_restored_round_stops_the_timer_of_the_one_it_replaces() {
    let mut table = Table::seating_with([], |settings| settings.timer_auto_start = true);
    table.when("Hana", vote("5")).then("VoteCast");
    table.when("Hana", reveal()).then("Revealed");
    table.when("Hana", reset()).then("RoundReset");
    table.when("Hana", restore(1)).then("RoundRestored, TimerChanged");
}

#[test]
fn a_restored_round_on_another_story_shows_both_stories_as_they_are() {
    let mut table = revealed();
    table.when("Hana", reset_to("Next")).then("RoundReset");
    let told = table.when("Hana", restore(1));
    told.then("RoundRestored, StoryUpdated, StoryUpdated");
    let shown: Vec<_> = told
        .facts()
        .into_iter()
        .filter_map(|fact| match fact {
            Fact::StoryUpdated { story } => Some((story.id.0, story.is_active, story.status)),
            _ => None,
        })
        .collect();
    assert_eq!(shown, [(2, false, StoryStatus::Pending), (1, true, StoryStatus::Revealed)]);
}

#[test]
fn the_round_of_a_deleted_story_does_not_come_back() {
    let mut table = revealed();
    table.when("Hana", reset_to("Next")).then("RoundReset");
    table.when("Hana", Action::DeleteStory { story: StoryId(1) }).then("StoryDeleted");
    table.when("Hana", restore(1)).refused("STALE_ROUND");
}

#[test]
fn the_history_is_bounded() {
    let mut table = Table::opened_with(|_, policy| policy.history_rounds_max = 2);
    table.comes_back("Hana").then("SeatReturned");
    table.arrives("Ben").then("SeatTaken");
    table.when("Ben", vote("5")).then("VoteCast");
    table.when("Hana", reveal()).then("Revealed");
    table.when("Hana", reset()).then("RoundReset");
    assert!(table.seat("Ben").in_history);
    for _ in 0..2 {
        table.when("Hana", vote("5")).then("VoteCast");
        table.when("Hana", reset()).then("RoundReset");
    }
    assert_eq!(table.session.history.len(), 2);
    assert!(!table.seat("Ben").in_history, "nothing keeps this seat any more");
}

fn revealed() -> Table {
    let mut table = Table::seating(["Ben"]);
    table.when("Ben", vote("5")).then("VoteCast");
    table.when("Hana", reveal()).then("Revealed");
    table
}

fn restore(round: u32) -> Action {
    Action::RestoreRound { round: RoundId(round) }
}
