//! Names, spectators, removal, nudges, reactions.

use cardroom::poker::command::{Action, Claim, Join, PlayerEdit, Reclaim};
use cardroom::poker::event::Fact;
use cardroom::poker::names::Emoji;
use cardroom::poker::reply::Reply;
use cardroom::poker::view::Counts;

use crate::rules::table::*;

#[test]
fn a_player_changes_the_own_name_and_learns_what_it_became() {
    let mut table = Table::seating(["Ben"]);
    table.when("Ben", rename("hana")).then("SeatUpdated").replies(&named("hana (2)"));
    table.when("Ben", rename("hana")).changes_nothing().replies(&named("hana (2)"));
    table.when("Ben", rename("Benno")).then("SeatUpdated").replies(&named("Benno"));
    table.when("Ben", rename("BENNO")).then("SeatUpdated").replies(&named("BENNO"));
    table.when("Nobody", rename("Ben")).refused("NOT_JOINED");
}

#[test]
fn a_player_changes_the_picture() {
    let mut table = Table::seating([]);
    let edit = || PlayerEdit { avatar: Some(text("🐻")), ..PlayerEdit::default() };
    table.when("Hana", Action::UpdatePlayer(edit())).then("SeatUpdated");
    table.when("Hana", Action::UpdatePlayer(edit())).changes_nothing();
}

#[test]
fn who_becomes_a_spectator_loses_the_vote_first() {
    let mut table = Table::seating(["Ben"]);
    table.when("Ben", vote("5")).then("VoteCast");
    let told = table.when("Ben", watch(true));
    told.then("VoteDropped, SeatUpdated");
    let Fact::SeatUpdated { player: seen } = told.facts()[1] else { panic!("an update") };
    assert!(!seen.has_voted);
    assert_eq!(table.session.counts(), Counts { votes: 0, eligible: 1 });
    table.when("Ben", watch(true)).changes_nothing();
}

#[test]
fn who_becomes_a_spectator_after_the_reveal_keeps_the_vote() {
    let mut table = Table::seating(["Ben"]);
    table.when("Ben", vote("5")).then("VoteCast");
    table.when("Hana", reveal()).then("Revealed");
    table.when("Ben", watch(true)).then("SeatUpdated");
    assert_eq!(table.session.vote_count(), 1);
}

#[test]
fn facilitators_make_others_watch() {
    let mut table = Table::seating(["Ben", "Cleo"]);
    let watching = |name| Action::SetSpectator { player: player(name), is_spectator: true };
    table.when("Ben", watching("Cleo")).refused("FORBIDDEN");
    table.when("Nobody", watching("Cleo")).refused("NOT_JOINED");
    table.when("Hana", watching("Nobody")).refused("PLAYER_NOT_FOUND");
    table.when("Ben", vote("5")).then("VoteCast");
    table.when("Hana", watching("Ben")).then("VoteDropped, SeatUpdated");
    table.when("Hana", watching("Ben")).changes_nothing();
}

#[test]
fn a_removed_player_loses_seat_vote_and_token() {
    let mut table = Table::seating(["Ben", "Cleo"]);
    table.when("Ben", vote("5")).then("VoteCast");
    let told = table.when("Hana", remove("Ben"));
    told.then("VoteDropped, SeatRemoved");
    let Fact::SeatRemoved { player_count, .. } = told.facts()[1] else { panic!("a removal") };
    assert_eq!(*player_count, 2);
    table.comes_back("Ben").refused("PLAYER_REMOVED");
    let claim = Claim::Bare { player: player("Ben"), reclaim: Reclaim::Open };
    table.joins(Join { claim, ..newcomer("Ben") }).refused("PLAYER_REMOVED");
    table.when("Ben", vote("5")).refused("PLAYER_REMOVED");
    // Without a ban the name is free.
    let again = Claim::New { player: player("again") };
    table.joins(Join { claim: again, ..newcomer("Ben") }).then("SeatTaken");
}

#[test]
fn a_banned_player_finds_the_name_refused_too() {
    let mut table = Table::seating(["Ben"]);
    let ban = Action::RemovePlayer { player: player("Ben"), ban: true };
    table.when("Hana", ban).then("SeatRemoved");
    let again = Claim::New { player: player("again") };
    let join = Join { claim: again, name: Some(text("bEN")), ..newcomer("Ben") };
    table.joins(join).refused("PLAYER_REMOVED");
}

#[test]
fn removing_needs_a_facilitator_and_a_target_that_is_not_the_host() {
    let mut table = Table::seating(["Ben", "Cleo"]);
    table.when("Ben", remove("Cleo")).refused("FORBIDDEN");
    table.when("Nobody", remove("Cleo")).refused("NOT_JOINED");
    table.when("Hana", remove("Nobody")).refused("PLAYER_NOT_FOUND");
    table.when("Hana", remove("Hana")).refused("FORBIDDEN");
    table.when("Hana", Action::Promote { player: player("Ben") }).then("SeatUpdated");
    table.when("Ben", remove("Hana")).refused("FORBIDDEN");
    table.when("Ben", remove("Ben")).refused("FORBIDDEN");
    table.when("Ben", remove("Cleo")).then("SeatRemoved");
}

#[test]
fn a_vote_of_somebody_removed_after_the_reveal_stays_in_the_results() {
    let mut table = Table::seating(["Ben"]);
    table.when("Ben", vote("5")).then("VoteCast");
    table.when("Hana", reveal()).then("Revealed");
    table.when("Hana", remove("Ben")).then("SeatRemoved");
    assert_eq!(table.results().tally.total_votes, 1);
}

#[test]
fn the_list_of_the_removed_is_bounded() {
    let mut table = Table::opened_with(|_, policy| policy.removed_seats_max = 1);
    table.comes_back("Hana").then("SeatReturned");
    for name in ["Ben", "Cleo"] {
        table.arrives(name).then("SeatTaken");
        table.when("Hana", remove(name)).then("SeatRemoved");
    }
    table.comes_back("Cleo").refused("PLAYER_REMOVED");
    table.comes_back("Ben").refused("INVALID_PLAYER_TOKEN");
}

#[test]
fn a_nudge_reaches_those_who_are_missing_and_not_twice_in_a_while() {
    let mut table = Table::seating(["Ben", "Cleo", "Wim"]);
    table.when("Wim", watch(true)).then("SeatUpdated");
    table.when("Hana", vote("5")).then("VoteCast");
    let everybody = || Action::Nudge { player: None };
    table.when("Ben", everybody()).refused("FORBIDDEN");
    table.when("Nobody", everybody()).refused("NOT_JOINED");
    table.when("Hana", nudge("Ben")).then("Nudged").replies(&nudged(&["Ben"]));
    table.when("Hana", nudge("Ben")).changes_nothing().replies(&nudged(&[]));
    table.when("Hana", everybody()).then("Nudged").replies(&nudged(&["Cleo"]));
    table.sleeps(30 * SECOND);
    table.when("Hana", everybody()).then("Nudged").replies(&nudged(&["Ben", "Cleo"]));
    table.when("Hana", nudge("Nobody")).refused("PLAYER_NOT_FOUND");
}

#[test]
fn a_reaction_is_shown_and_leaves_nothing_behind() {
    let mut table = Table::seating(["Ben"]);
    let before = table.session.clone();
    table.sleeps(MINUTE);
    table.when_as("Ben", "r1", thumbs_up()).then("Reacted");
    assert!(table.session == before);
    table.when("Nobody", thumbs_up()).refused("NOT_JOINED");
    table.leaves("Ben").then("SeatDisconnected, SeatLeft");
    table.when("Ben", thumbs_up()).refused("NOT_JOINED");
}

#[test]
fn reactions_can_be_switched_off() {
    let mut table = Table::seating_with([], |settings| settings.reactions = false);
    table.when("Hana", thumbs_up()).refused("FORBIDDEN");
}

fn thumbs_up() -> Action {
    let emoji: Emoji = text("👍");
    Action::React { emoji }
}

fn nudge(name: &str) -> Action {
    Action::Nudge { player: Some(player(name)) }
}

fn nudged(names: &[&str]) -> Reply {
    Reply::Nudged { players: names.iter().map(|name| player(name)).collect() }
}

fn named(name: &str) -> Reply {
    Reply::Named { name: text(name) }
}
