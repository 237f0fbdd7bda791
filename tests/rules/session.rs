//! The session as a whole: settings, lock, end, expiry.

use cardroom::poker::command::{Action, PasswordChange};
use cardroom::poker::deck::{Deck, Preset};
use cardroom::poker::event::Fact;
use cardroom::poker::ids::{RoundId, StoryId};
use cardroom::poker::reply::Reply;
use cardroom::poker::session::PasswordHash;
use cardroom::poker::settings::{Holders, SettingsPatch};

use crate::rules::table::*;

#[test]
fn the_host_changes_settings_and_everybody_learns_which() {
    let mut table = Table::seating(["Ben"]);
    let patch = || SettingsPatch {
        name: Some(text("Sprint 13")),
        reveal: Some(Holders::Everyone),
        timer: Some(Holders::Everyone),
        ..SettingsPatch::default()
    };
    table.when("Ben", configure(patch())).refused("FORBIDDEN");
    table.when("Nobody", configure(patch())).refused("NOT_JOINED");
    let told = table.when("Hana", configure(patch()));
    let Fact::Configured { changed, .. } = told.only_fact() else { panic!("settings") };
    assert_eq!(changed, &["name", "permissions"]);
    table.when("Hana", configure(patch())).changes_nothing();
}

#[test]
fn settings_out_of_range_are_refused() {
    let mut table = Table::seating([]);
    let none = SettingsPatch::default;
    for patch in [
        SettingsPatch { reveal_countdown_ms: Some(10_001), ..none() },
        SettingsPatch { timer_seconds: Some(3_601), ..none() },
        SettingsPatch { consensus_percent: Some(50), ..none() },
        SettingsPatch { consensus_percent: Some(101), ..none() },
        SettingsPatch { max_players: Some(1), ..none() },
        SettingsPatch { max_players: Some(201), ..none() },
    ] {
        table.when("Hana", configure(patch)).refused("BAD_REQUEST");
    }
}

#[test]
fn a_password_is_set_and_taken_away() {
    let mut table = Table::seating([]);
    let with =
        |password| Action::Configure { patch: SettingsPatch::default(), password, force: false };
    let set = || with(PasswordChange::Set(PasswordHash::new("hash".into())));
    let told = table.when("Hana", set());
    let Fact::Configured { changed, .. } = told.only_fact() else { panic!("settings") };
    assert_eq!(changed, &["passwordProtected"]);
    table.when("Hana", set()).changes_nothing();
    table.when("Hana", with(PasswordChange::Remove)).then("Configured");
    assert!(table.session.password.is_none());
}

#[test]
fn another_deck_needs_force_while_votes_lie_on_the_table() {
    let mut table = Table::seating(["Ben"]);
    table.when("Hana", another_deck(false)).then("Configured");
    let mut table = Table::seating(["Ben"]);
    table.when("Hana", finalize(1, Some("89"))).then("StoryUpdated");
    table.when("Ben", vote("5")).then("VoteCast");
    table.when("Hana", another_deck(false)).refused("DECK_IN_USE");
    table.when("Hana", another_deck(true)).then("RoundReset, Configured");
    assert_eq!((table.session.vote_count(), table.session.round.id), (0, RoundId(2)));
    let estimate = table.session.current_story().final_estimate.as_ref();
    assert_eq!(estimate.map(|estimate| estimate.as_str()), Some("89"), "it stays, as text");
}

#[test]
fn a_revealed_round_does_not_come_back_on_another_deck() {
    let mut table = Table::seating(["Ben"]);
    table.when("Ben", vote("5")).then("VoteCast");
    table.when("Hana", reveal()).then("Revealed");
    table.when("Hana", another_deck(false)).refused("DECK_IN_USE");
    table.when("Hana", another_deck(true)).then("RoundReset, Configured");
    assert!(table.session.history[0].results.is_some());
    table.when("Hana", Action::RestoreRound { round: RoundId(1) }).refused("STALE_ROUND");
}

#[test]
fn another_deck_takes_the_votes_of_waiting_rounds_along() {
    let mut table = Table::seating(["Ben"]);
    table.when("Hana", create("Second")).then("StoryCreated");
    table.when_as("Ben", "r1", vote("5")).then("VoteCast");
    table.when("Hana", activate(2)).then("StoryActivated");
    table.when("Hana", another_deck(false)).refused("DECK_IN_USE");
    table.when("Hana", another_deck(true)).then("Configured");
    table.when("Hana", activate(1)).then("StoryActivated");
    assert_eq!(table.session.vote_count(), 0);
    table.when_as("Ben", "r1", vote("5")).replies(&Reply::Done);
}

#[test]
fn facilitators_lock_the_door_and_open_it() {
    let mut table = Table::seating(["Ben"]);
    let lock = |is_locked| Action::Lock { is_locked };
    table.when("Ben", lock(true)).refused("FORBIDDEN");
    table.when("Nobody", lock(true)).refused("NOT_JOINED");
    table.when("Hana", Action::Promote { player: player("Ben") }).then("SeatUpdated");
    table.when("Ben", lock(true)).then("Configured");
    table.when("Ben", lock(true)).changes_nothing();
    table.when("Ben", lock(false)).then("Configured");
}

// The end.

#[test]
fn the_host_ends_the_session_and_nothing_happens_after() {
    let mut table = Table::seating(["Ben"]);
    table.when("Ben", Action::End).refused("FORBIDDEN");
    table.when("Nobody", Action::End).refused("NOT_JOINED");
    table.when("Hana", start_timer(60)).then("TimerChanged");
    table.when_as("Ben", "r1", vote("5")).then("VoteCast");
    table.when("Hana", Action::End).then("Ended");
    table.when("Ben", vote("5")).refused("SESSION_ENDED");
    table.arrives("Cleo").refused("SESSION_ENDED");
    table.comes_back("Ben").refused("SESSION_ENDED");
    table.when_as("Ben", "r1", vote("5")).replies(&Reply::Done);
    // The sockets stay for the export.
    table.after(10 * MINUTE - 1).changes_nothing();
    table.after(1).then("Dismissed");
    table.after(100 * HOUR).changes_nothing();
}

#[test]
fn an_ended_session_keeps_its_results() {
    let mut table = Table::seating(["Ben"]);
    table.when("Ben", vote("5")).then("VoteCast");
    table.when("Hana", reveal()).then("Revealed");
    table.when("Hana", Action::End).then("Ended");
    assert_eq!(table.results().tally.total_votes, 1);
}

#[test]
fn leaving_a_session_that_has_ended_hands_nothing_over() {
    let mut table = Table::seating(["Ben"]);
    table.when("Hana", Action::End).then("Ended");
    table.leaves("Hana").then("SeatDisconnected");
    assert_eq!(table.session.host, player("Hana"));
}

#[test]
fn a_session_expires_after_a_day_without_a_mutation_with_ten_minutes_notice() {
    let mut table = Table::seating(["Ben"]);
    table.when("Ben", vote("5")).then("VoteCast");
    table.after(24 * HOUR - 10 * MINUTE - 1).changes_nothing();
    table.after(1).then("ExpiryAnnounced");
    table.after(10 * MINUTE - 1).changes_nothing();
    table.after(1).then("Ended");
    assert_eq!(table.session.vote_count(), 0, "unrevealed values are destroyed");
    table.when("Hana", vote("5")).refused("SESSION_EXPIRED");
    table.arrives("Cleo").refused("SESSION_EXPIRED");
    table.after(100 * HOUR).changes_nothing();
}

#[test]
fn what_happens_keeps_a_session_alive_and_what_does_not_happen_does_not() {
    let mut table = Table::seating(["Ben"]);
    table.after(24 * HOUR - 5 * MINUTE).then("ExpiryAnnounced");
    let expires_at = table.session.expires_at;
    table.when("Ben", vote("4")).refused("INVALID_CARD");
    table.loses("Ben").then("SeatDisconnected");
    assert_eq!(table.session.expires_at, expires_at, "idle sockets do not count");
    table.when("Hana", vote("5")).then("VoteCast");
    assert_eq!(table.session.expires_at, table.now.add_ms(24 * HOUR));
    table.after(23 * HOUR).then("StatusSettled, SeatLeft, SeatForgotten");
    table.arrives("Cleo").then("SeatTaken");
    assert_eq!(table.session.expires_at, table.now.add_ms(24 * HOUR));
}

#[test]
fn without_anybody_there_no_notice_is_given() {
    let mut table = Table::seating([]);
    table.leaves("Hana").then("SeatDisconnected, SeatLeft");
    table.after(24 * HOUR).then("Ended");
}

#[test]
fn a_short_life_is_announced_once_and_not_after_each_command() {
    let mut table = Table::opened_with(|_, policy| policy.session_ttl_ms = 5 * MINUTE);
    table.comes_back("Hana").then("SeatReturned");
    table.wakes().changes_nothing();
    table.when("Hana", vote("5")).then("VoteCast");
    table.wakes().changes_nothing();
    table.after(5 * MINUTE).then("ExpiryAnnounced, Ended");
}

#[test]
fn a_session_whose_time_is_up_takes_no_command_even_if_nobody_noticed() {
    let mut table = Table::seating([]);
    table.sleeps(24 * HOUR);
    table.when("Hana", vote("5")).refused("SESSION_EXPIRED");
    table.arrives("Ben").refused("SESSION_EXPIRED");
    table.wakes().then("ExpiryAnnounced, Ended");
}

#[test]
fn what_was_due_before_the_end_takes_effect_before_it() {
    let mut table = Table::seating(["Ben"]);
    table.when("Ben", vote("5")).then("VoteCast");
    let timer = Action::StartTimer {
        seconds: Some(60),
        on_expire: Some(cardroom::poker::timer::OnExpire::Reveal),
        story: Some(StoryId(1)),
    };
    table.when("Hana", timer).then("TimerChanged");
    table.sleeps(100 * HOUR);
    table.wakes().then("TimerChanged, Revealed, ExpiryAnnounced, Ended");
    assert_eq!(table.results().tally.total_votes, 1);
}

fn another_deck(force: bool) -> Action {
    let deck = Some(Deck::preset(Preset::TShirt));
    let patch = SettingsPatch { deck, ..SettingsPatch::default() };
    Action::Configure { patch, password: PasswordChange::Keep, force }
}
