//! Coming, going, coming back.

use cardroom::poker::command::{Action, Claim, Departure, Join, PasswordCheck, Reclaim};
use cardroom::poker::event::{Fact, LeaveReason};
use cardroom::poker::ids::Millis;
use cardroom::poker::reply::Reply;
use cardroom::poker::seat::Presence;
use cardroom::poker::session::PasswordHash;

use crate::rules::table::*;

#[test]
fn a_newcomer_takes_a_seat() {
    let mut table = Table::seating([]);
    let told = table.arrives("Ben");
    let Fact::SeatTaken { player: seen, player_count, .. } = told.only_fact() else {
        panic!("a new seat")
    };
    assert_eq!((seen.id, seen.is_online, *player_count), (player("Ben"), true, 2));
    told.replies(&Reply::Joined { player: player("Ben") });
}

#[test]
fn a_newcomer_needs_a_name() {
    let mut table = Table::seating([]);
    table.joins(Join { name: None, ..newcomer("Ben") }).refused("NAME_REQUIRED");
}

#[test]
fn a_name_that_is_taken_gets_a_number() {
    let mut table = Table::seating(["Ben"]);
    let other = Claim::New { player: player("other") };
    table.joins(Join { claim: other, name: Some(text("ＢＥＮ")), ..newcomer("Ben") });
    let seat = table.session.seats.get(&player("other")).expect("a seat");
    assert_eq!(seat.name.as_str(), "ＢＥＮ (2)");
    table.arrives("Ben").refused("INVALID_PLAYER_TOKEN");
}

#[test]
fn a_locked_session_takes_back_but_nobody_new() {
    let mut table = Table::seating(["Ben"]);
    table.leaves("Ben").then("SeatDisconnected, SeatLeft");
    table.when("Hana", Action::Lock { is_locked: true }).then("Configured");
    table.arrives("Cleo").refused("SESSION_LOCKED");
    table.comes_back("Ben").then("SeatReturned");
}

#[test]
fn a_full_session_takes_back_but_nobody_new() {
    let mut table = Table::seating_with(["Ben"], |settings| settings.max_players = 2);
    table.arrives("Cleo").refused("SESSION_FULL");
    table.leaves("Ben").then("SeatDisconnected, SeatLeft");
    table.arrives("Cleo").then("SeatTaken");
    table.comes_back("Ben").then("SeatReturned");
}

#[test]
fn a_password_is_asked_of_newcomers_and_not_of_those_with_a_token() {
    let mut table = Table::seating(["Ben"]);
    let password = cardroom::poker::command::PasswordChange::Set(PasswordHash::new("h".into()));
    let action = Action::Configure { patch: Default::default(), password, force: false };
    table.when("Hana", action).then("Configured");
    table.arrives("Cleo").refused("PASSWORD_REQUIRED");
    let with = |password| Join { password, ..newcomer("Cleo") };
    table.joins(with(PasswordCheck::Wrong)).refused("PASSWORD_INVALID");
    table.joins(with(PasswordCheck::Right)).then("SeatTaken");
    table.leaves("Ben").then("SeatDisconnected, SeatLeft");
    table.comes_back("Ben").then("SeatReturned");
}

// Whose seat it is.

#[test]
fn only_the_right_token_opens_a_seat() {
    let mut table = Table::seating(["Ben"]);
    let token = |name, generation| Join {
        claim: Claim::Token { player: player(name), generation },
        ..newcomer(name)
    };
    table.joins(token("Ben", 1)).refused("INVALID_PLAYER_TOKEN");
    table.joins(token("Cleo", 0)).refused("INVALID_PLAYER_TOKEN");
    table.joins(bare("Ben", Reclaim::Token)).refused("INVALID_PLAYER_TOKEN");
}

#[test]
fn a_bare_id_opens_an_empty_seat_where_that_is_configured() {
    let mut table = Table::seating(["Ben"]);
    table.joins(bare("Ben", Reclaim::Open)).refused("INVALID_PLAYER_TOKEN");
    table.leaves("Ben").then("SeatDisconnected, SeatLeft");
    table.joins(bare("Ben", Reclaim::Token)).refused("INVALID_PLAYER_TOKEN");
    table.joins(bare("Ben", Reclaim::Open)).then("SeatReturned");
}

#[test]
fn a_bare_id_that_nobody_has_becomes_a_new_seat() {
    let mut table = Table::seating([]);
    table.joins(bare("Ben", Reclaim::Token)).then("SeatTaken");
    table.joins(Join { name: None, ..bare("Cleo", Reclaim::Token) }).refused("NAME_REQUIRED");
}

#[test]
fn a_seat_reserved_over_http_is_not_at_the_table_until_somebody_comes() {
    let mut table = Table::seating([]);
    table.joins(Join { instance: None, ..newcomer("Ben") }).then("SeatTaken");
    assert_eq!(table.session.player_count(), 1);
    assert_eq!(table.session.seq, 1, "nobody was told");
    table.comes_back("Ben").then("SeatReturned");
    assert_eq!(table.session.player_count(), 2);
}

// Away for a moment.

#[test]
fn a_return_within_the_grace_period_makes_no_noise() {
    let mut table = Table::seating(["Ben"]);
    table.when("Ben", vote("5")).then("VoteCast");
    table.loses("Ben").then("SeatDisconnected");
    table.after(999).changes_nothing();
    assert!(announced(&table.after(1)));
    table.after(5 * SECOND).changes_nothing();
    table.comes_back("Ben").then("SeatConnected");
    assert!(announced(&table.after(SECOND)));
    table.after(MINUTE).changes_nothing();
    assert_eq!(table.session.vote_count(), 1);
}

#[test]
fn a_change_that_undoes_itself_within_a_second_is_not_told() {
    let mut table = Table::seating(["Ben"]);
    let seq = table.session.seq;
    table.loses("Ben").then("SeatDisconnected");
    table.after(500).changes_nothing();
    table.comes_back("Ben").then("SeatConnected");
    assert!(!announced(&table.after(SECOND)));
    assert_eq!(table.session.seq, seq);
}

#[test]
fn after_ten_seconds_the_others_are_told_and_the_seat_is_kept() {
    let mut table = Table::seating(["Ben"]);
    table.when("Ben", vote("5")).then("VoteCast");
    table.loses("Ben").then("SeatDisconnected");
    let told = table.after(10 * SECOND);
    told.then("StatusSettled, SeatLeft");
    let left = told.facts()[1].clone();
    let Fact::SeatLeft { reason, player_count, .. } = left else { panic!("a leave") };
    assert_eq!((reason, player_count), (LeaveReason::Disconnected, 1));
    table.after(20 * MINUTE).changes_nothing();
    let told = table.comes_back("Ben");
    let Fact::SeatReturned { player: seen, player_count, .. } = told.only_fact() else {
        panic!("a return")
    };
    assert!(seen.has_voted, "the round is the same");
    assert_eq!(*player_count, 2);
    table.after(MINUTE).changes_nothing();
}

#[test]
fn a_grace_period_of_nothing_leaves_at_once() {
    let mut table = Table::opened_with(|_, policy| policy.disconnect_grace_ms = 0);
    table.comes_back("Hana").then("SeatReturned");
    table.loses("Hana").then("SeatDisconnected");
    table.wakes().then("SeatLeft");
    table.after(MINUTE).changes_nothing();
}

#[test]
fn a_drained_instance_gives_its_players_longer() {
    let mut table = Table::seating(["Ben"]);
    table.departs("Ben", Departure::Drained).then("SeatDisconnected");
    table.after(29_999).then("StatusSettled");
    table.after(1).then("SeatLeft");
}

#[test]
fn the_players_of_a_dead_instance_are_offline() {
    let mut table = Table::seating(["Ben"]);
    table.joins(Join { instance: Some(THERE), ..holder("Ben") }).then("SeatConnected");
    let dead = Action::ForgetInstance { instance: HERE };
    table.house(dead.clone()).then("SeatDisconnected, SeatDisconnected");
    assert!(!table.seat("Hana").is_online());
    assert!(table.seat("Ben").is_online(), "there is another socket elsewhere");
    table.house(dead).changes_nothing();
}

#[test]
fn leaving_is_at_once_and_only_with_the_last_socket() {
    let mut table = Table::seating(["Ben"]);
    table.joins(Join { instance: Some(THERE), ..holder("Ben") }).then("SeatConnected");
    table.leaves("Ben").then("SeatDisconnected");
    table.after(MINUTE).changes_nothing();
    let elsewhere =
        Action::Depart { player: player("Ben"), instance: THERE, manner: Departure::Leaving };
    table.house(elsewhere.clone()).then("SeatDisconnected, SeatLeft");
    table.house(elsewhere).changes_nothing();
    table.departs("Nobody", Departure::Leaving).changes_nothing();
}

#[test]
fn a_second_tab_at_the_same_instance_changes_nothing() {
    let mut table = Table::seating(["Ben"]);
    table.comes_back("Ben").changes_nothing().replies(&Reply::Joined { player: player("Ben") });
}

#[test]
fn a_new_name_given_on_the_way_in_is_shown() {
    let mut table = Table::seating(["Ben"]);
    let benno = || Join { name: Some(text("Benno")), ..holder("Ben") };
    table.joins(benno()).then("SeatUpdated");
    table.loses("Ben").then("SeatDisconnected");
    table
        .joins(Join { name: Some(text("Ben")), ..holder("Ben") })
        .then("SeatConnected, SeatUpdated");
    table.leaves("Ben").then("SeatDisconnected, SeatLeft");
    table.joins(benno()).then("SeatReturned, SeatUpdated");
}

#[test]
fn who_returns_to_watch_loses_the_vote() {
    let mut table = Table::seating(["Ben"]);
    table.when("Ben", vote("5")).then("VoteCast");
    table.leaves("Ben").then("SeatDisconnected, SeatLeft");
    let watching = Join { is_spectator: Some(true), ..holder("Ben") };
    table.joins(watching).then("SeatReturned, VoteDropped, SeatUpdated");
}

// Seats that are kept.

#[test]
fn a_seat_without_a_vote_is_forgotten_after_half_an_hour() {
    let mut table = Table::seating(["Ben"]);
    table.leaves("Ben").then("SeatDisconnected, SeatLeft");
    table.after(30 * MINUTE).then("SeatForgotten");
    table.comes_back("Ben").refused("INVALID_PLAYER_TOKEN");
    table.arrives("Ben").then("SeatTaken");
}

#[test]
fn a_seat_with_a_vote_in_the_history_is_kept() {
    let mut table = Table::seating(["Ben"]);
    table.when("Ben", vote("5")).then("VoteCast");
    table.when("Hana", reveal()).then("Revealed");
    table.when("Hana", reset()).then("RoundReset");
    table.leaves("Ben").then("SeatDisconnected, SeatLeft");
    table.after(20 * HOUR).changes_nothing();
    table.comes_back("Ben").then("SeatReturned");
}

#[test]
fn a_seat_is_kept_while_its_vote_lies_on_the_table_or_waits() {
    let mut table = Table::seating(["Ben"]);
    table.when("Hana", create("Second")).then("StoryCreated");
    table.when("Ben", vote("5")).then("VoteCast");
    table.leaves("Ben").then("SeatDisconnected, SeatLeft");
    table.after(HOUR).changes_nothing();
    assert_eq!(table.session.vote_count(), 1);
    table.when("Hana", activate(2)).then("StoryActivated");
    table.after(HOUR).changes_nothing();
    table.when("Hana", activate(1)).then("StoryActivated");
    assert_eq!(table.session.vote_count(), 1);
    table.when("Hana", reset()).then("RoundReset");
    table.wakes().then("SeatForgotten");
}

#[test]
fn the_seat_of_the_host_is_kept() {
    let mut table = Table::seating([]);
    table.leaves("Hana").then("SeatDisconnected, SeatLeft");
    table.after(20 * HOUR).changes_nothing();
    table.comes_back("Hana").then("SeatReturned");
}

#[test]
fn of_too_many_kept_seats_the_one_that_is_missed_least_goes() {
    let mut table = Table::opened_with(|_, policy| policy.kept_seats_max = 1);
    table.comes_back("Hana").then("SeatReturned");
    for name in ["Ben", "Cleo", "Dan"] {
        table.arrives(name).then("SeatTaken");
    }
    table.when("Ben", vote("5")).then("VoteCast");
    for name in ["Ben", "Cleo", "Dan"] {
        table.sleeps(10);
        table.leaves(name).then("SeatDisconnected, SeatLeft");
    }
    let forgotten = |told: &Told| match told.facts()[0] {
        Fact::SeatForgotten { player } => *player,
        _ => panic!("a forgotten seat"),
    };
    assert_eq!(forgotten(&table.arrives("Eve")), player("Cleo"));
    assert_eq!(forgotten(&table.arrives("Finn")), player("Dan"));
    table.arrives("Gus").then("SeatTaken");
    assert_eq!(table.session.vote_count(), 1, "a vote on the table is never thrown out");
}

// Away.

#[test]
fn being_away_is_told_once_it_lasts() {
    let mut table = Table::seating(["Ben"]);
    let away = |is_away| Action::SetAway { is_away };
    table.when("Ben", away(false)).changes_nothing();
    table.when("Ben", away(true)).then("AwaySet");
    assert!(announced(&table.after(2 * SECOND)));
    table.when("Ben", away(false)).then("AwaySet");
    table.when("Ben", away(true)).then("AwaySet");
    assert!(!announced(&table.after(2 * SECOND)));
    table.when("Nobody", away(true)).refused("NOT_JOINED");
}

#[test]
fn who_comes_back_is_not_away() {
    let mut table = Table::seating(["Ben"]);
    table.when("Ben", Action::SetAway { is_away: true }).then("AwaySet");
    table.after(2 * SECOND).then("StatusSettled");
    table.leaves("Ben").then("SeatDisconnected, SeatLeft");
    table.when("Ben", Action::SetAway { is_away: true }).refused("NOT_JOINED");
    table.comes_back("Ben").then("SeatReturned");
    assert!(!table.seat("Ben").is_away);
    assert_eq!(table.seat("Ben").presence, Presence::Online { since: table.now });
}

#[test]
fn a_clock_that_runs_behind_does_not_turn_time_back() {
    let mut table = Table::seating(["Ben"]);
    let latest = table.now;
    table.now = Millis(latest.0 - MINUTE);
    let told = table.when("Ben", vote("5"));
    assert_eq!(told.played().events[0].at, latest);
}

fn bare(name: &str, reclaim: Reclaim) -> Join {
    Join { claim: Claim::Bare { player: player(name), reclaim }, ..newcomer(name) }
}

#[track_caller]
fn announced(told: &Told) -> bool {
    match told.only_fact() {
        Fact::StatusSettled { announce, .. } => *announce,
        _ => panic!("a status"),
    }
}
