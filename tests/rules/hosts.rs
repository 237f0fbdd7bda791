//! Who leads, who follows when the host is gone, and what that allows.

use cardroom::poker::command::Action;
use cardroom::poker::event::{Fact, HostReason};
use cardroom::poker::seat::Role;
use cardroom::poker::settings::{Permissions, SettingsPatch};

use crate::rules::table::*;

#[test]
fn after_half_a_minute_somebody_acts_for_the_host_until_the_host_is_back() {
    let mut table = Table::seating(["Ben", "Cleo"]);
    table.loses("Hana").then("SeatDisconnected");
    table.after(29_999).then("StatusSettled, SeatLeft");
    let told = table.after(1);
    assert_eq!(hosts(&told), (Some("Ben"), Some("Hana"), HostReason::Disconnected));
    assert_eq!(table.session.host, player("Hana"), "the host stays host");
    assert!(table.session.is_host(player("Ben")));

    let told = table.comes_back("Hana");
    told.then("SeatReturned, HostChanged");
    assert_eq!(hosts(&told), (Some("Hana"), Some("Ben"), HostReason::Returned));
    assert!(!table.session.is_host(player("Ben")));
}

#[test]
fn a_host_who_is_back_in_time_stays_the_only_one() {
    let mut table = Table::seating(["Ben"]);
    table.loses("Hana").then("SeatDisconnected");
    table.after(20 * SECOND).then("StatusSettled, SeatLeft");
    table.comes_back("Hana").then("SeatReturned");
    table.after(MINUTE).changes_nothing();
}

#[test]
fn a_facilitator_acts_before_a_voter_and_a_voter_before_a_spectator() {
    let mut table = Table::seating(["Wim", "Ben", "Cleo"]);
    table.when("Wim", watch(true)).then("SeatUpdated");
    table.when("Hana", promote("Cleo")).then("SeatUpdated");
    table.loses("Hana").then("SeatDisconnected");
    let told = table.after(30 * SECOND);
    assert_eq!(hosts(&told).0, Some("Cleo"));

    let told = table.leaves("Cleo");
    told.then("SeatDisconnected, SeatLeft, HostChanged");
    assert_eq!(hosts(&told), (Some("Ben"), Some("Cleo"), HostReason::ActingLeft));
    assert_eq!(hosts(&table.leaves("Ben")), (Some("Wim"), Some("Ben"), HostReason::ActingLeft));
    assert_eq!(hosts(&table.leaves("Wim")), (None, Some("Wim"), HostReason::ActingLeft));
}

#[test]
fn the_facilitator_who_has_been_online_the_longest_acts_first() {
    let mut table = Table::seating(["Ben", "Cleo"]);
    table.when("Hana", promote("Ben")).then("SeatUpdated");
    table.when("Hana", promote("Cleo")).then("SeatUpdated");
    table.leaves("Ben").then("SeatDisconnected, SeatLeft");
    table.sleeps(SECOND);
    table.comes_back("Ben").then("SeatReturned");
    table.loses("Hana").then("SeatDisconnected");
    assert_eq!(hosts(&table.after(30 * SECOND)).0, Some("Cleo"));
}

#[test]
fn an_acting_host_keeps_acting_through_a_lost_connection() {
    let mut table = acting();
    table.loses("Ben").then("SeatDisconnected");
    table.after(5 * SECOND).then("StatusSettled");
    table.comes_back("Ben").then("SeatConnected");
    table.after(MINUTE).then("StatusSettled");
    assert_eq!(table.session.acting_host, Some(player("Ben")));
}

#[test]
fn nobody_acts_while_nobody_is_there_and_the_first_to_come_does() {
    let mut table = Table::seating(["Ben"]);
    table.leaves("Ben").then("SeatDisconnected, SeatLeft");
    table.loses("Hana").then("SeatDisconnected");
    table.after(5 * MINUTE).then("StatusSettled, SeatLeft");
    table.arrives("Cleo").then("SeatTaken, HostChanged");
    assert_eq!(table.session.acting_host, Some(player("Cleo")));
}

#[test]
fn the_first_visitor_acts_for_a_host_who_has_not_come_yet() {
    let mut table = Table::opened();
    table.after(MINUTE).changes_nothing();
    table.arrives("Ben").then("SeatTaken, HostChanged");
    table.when("Ben", create("First")).then("StoryCreated");
    table.comes_back("Hana").then("SeatReturned, HostChanged");
    table.when("Ben", create("Second")).refused("FORBIDDEN");
}

#[test]
fn a_host_who_leaves_hands_over_for_good() {
    let mut table = Table::seating(["Ben", "Cleo"]);
    table.when("Hana", promote("Cleo")).then("SeatUpdated");
    let told = table.leaves("Hana");
    told.then("SeatDisconnected, SeatLeft, HostChanged");
    assert_eq!(hosts(&told), (Some("Cleo"), Some("Hana"), HostReason::Left));
    assert_eq!(table.session.host, player("Cleo"));
    table.comes_back("Hana").then("SeatReturned");
    assert_eq!(table.seat("Hana").role, Role::Facilitator);
    assert_eq!(table.session.host, player("Cleo"));
}

#[test]
fn a_host_who_leaves_an_empty_table_stays_host() {
    let mut table = Table::seating([]);
    table.leaves("Hana").then("SeatDisconnected, SeatLeft");
    assert_eq!(table.session.host, player("Hana"));
    table.arrives("Ben").then("SeatTaken");
    let told = table.after(30 * SECOND);
    assert_eq!(hosts(&told).0, Some("Ben"));
}

#[test]
fn an_acting_host_has_the_rights_of_the_host_while_acting() {
    let mut table = acting();
    let rename = SettingsPatch { name: Some(text("Ours")), ..SettingsPatch::default() };
    table.when("Ben", configure(rename.clone())).then("Configured");
    table.when("Ben", promote("Cleo")).then("SeatUpdated");
    table.comes_back("Hana").then("SeatReturned, HostChanged");
    table.when("Ben", configure(rename)).refused("FORBIDDEN");
}

#[test]
fn an_acting_host_who_is_removed_is_followed_at_once() {
    let mut table = acting();
    table.when("Ben", promote("Cleo")).then("SeatUpdated");
    table.when("Cleo", remove("Ben")).then("SeatRemoved, HostChanged");
    assert_eq!(table.session.acting_host, Some(player("Cleo")));
}

// Roles.

#[test]
fn the_host_hands_over_and_stays_a_facilitator() {
    let mut table = Table::seating(["Ben"]);
    table.when("Ben", transfer("Ben")).refused("FORBIDDEN");
    table.when("Nobody", transfer("Ben")).refused("NOT_JOINED");
    table.when("Hana", transfer("Nobody")).refused("PLAYER_NOT_FOUND");
    table.when("Hana", transfer("Hana")).changes_nothing();
    let told = table.when("Hana", transfer("Ben"));
    assert_eq!(hosts(&told), (Some("Ben"), Some("Hana"), HostReason::Transfer));
    assert_eq!(table.seat("Hana").role, Role::Facilitator);
    table.when("Hana", transfer("Hana")).refused("FORBIDDEN");
}

#[test]
fn an_acting_host_who_hands_over_acts_no_more() {
    let mut table = acting();
    table.when("Ben", transfer("Cleo")).then("HostChanged, SeatUpdated");
    assert_eq!((table.session.host, table.session.acting_host), (player("Cleo"), None));
    assert!(!table.session.is_host(player("Ben")));
}

#[test]
fn facilitators_are_made_and_unmade_by_the_host() {
    let mut table = Table::seating(["Ben", "Cleo"]);
    for action in [promote("Ben"), demote("Ben")] {
        table.when("Ben", action.clone()).refused("FORBIDDEN");
        table.when("Nobody", action).refused("NOT_JOINED");
    }
    table.when("Hana", demote("Ben")).changes_nothing();
    table.when("Hana", promote("Ben")).then("SeatUpdated");
    table.when("Hana", promote("Ben")).changes_nothing();
    table.when("Hana", promote("Hana")).changes_nothing();
    table.when("Ben", promote("Cleo")).refused("FORBIDDEN");
    table.when("Hana", demote("Ben")).then("SeatUpdated");
    table.when("Hana", demote("Hana")).refused("FORBIDDEN");
    table.when("Hana", promote("Nobody")).refused("PLAYER_NOT_FOUND");
    table.when("Hana", demote("Nobody")).refused("PLAYER_NOT_FOUND");
}

// Permissions.

#[test]
fn players_run_the_round_where_the_settings_say_so() {
    let mut table =
        Table::seating_with(["Ben"], |settings| settings.permissions = Permissions::OPEN);
    table.when("Ben", start_timer(60)).then("TimerChanged");
    table.when("Ben", vote("5")).then("VoteCast");
    table.when("Ben", reveal()).then("Revealed, TimerChanged");
    table.when("Ben", reset()).then("RoundReset");
    table.when("Ben", remove("Hana")).refused("FORBIDDEN");
    table.when("Ben", Action::End).refused("FORBIDDEN");
}

#[test]
fn everybody_runs_the_round_while_no_facilitator_is_there() {
    let mut table = Table::seating(["Ben", "Cleo", "Dan"]);
    table.when("Hana", promote("Ben")).then("SeatUpdated");
    table.when("Dan", vote("5")).then("VoteCast");
    table.leaves("Ben").then("SeatDisconnected, SeatLeft");
    table.loses("Hana").then("SeatDisconnected");
    table.after(29_999).then("StatusSettled, SeatLeft");
    table.when("Dan", reveal()).refused("FORBIDDEN");
    // Cleo acts as host from now on, and still everybody may.
    table.after(1).then("HostChanged");
    table.when("Dan", reveal()).then("Revealed");
    table.when("Dan", promote("Dan")).refused("FORBIDDEN");
    table.comes_back("Ben").then("SeatReturned");
    table.when("Dan", reset()).refused("FORBIDDEN");
}

/// Hana is gone, Ben acts, Cleo is there.
fn acting() -> Table {
    let mut table = Table::seating(["Ben", "Cleo"]);
    table.loses("Hana").then("SeatDisconnected");
    table.after(30 * SECOND).then("StatusSettled, SeatLeft, HostChanged");
    table
}

fn promote(name: &str) -> Action {
    Action::Promote { player: player(name) }
}

fn demote(name: &str) -> Action {
    Action::Demote { player: player(name) }
}

fn transfer(name: &str) -> Action {
    Action::Transfer { player: player(name) }
}

/// New host, previous one, and why, of the last fact that says so.
#[track_caller]
fn hosts(told: &Told) -> (Option<&'static str>, Option<&'static str>, HostReason) {
    let name = |view: &Option<Box<cardroom::poker::view::PlayerView>>| {
        let known = ["Hana", "Ben", "Cleo", "Wim"];
        let id = view.as_ref()?.id;
        known.into_iter().find(|name| player(name) == id)
    };
    let facts = told.facts();
    let change = facts.into_iter().rev().find_map(|fact| match fact {
        Fact::HostChanged { new, previous, reason } => Some((name(new), name(previous), *reason)),
        _ => None,
    });
    change.expect("a change of host")
}
