//! The clock on the wall.

use cardroom::poker::command::Action;
use cardroom::poker::ids::StoryId;
use cardroom::poker::refusal::Refusal;
use cardroom::poker::round::RevealReason;
use cardroom::poker::timer::{OnExpire, TimerPhase};

use crate::rules::table::*;

#[test]
fn a_timer_runs_for_as_long_as_was_asked_or_set() {
    let mut table = Table::seating_with([], |settings| settings.timer_seconds = 90);
    table.when("Hana", start_timer(30)).then("TimerChanged");
    assert_eq!(table.session.timer.remaining_ms(table.now), 30 * SECOND);
    table.when("Hana", start_unless_set()).then("TimerChanged");
    assert_eq!(table.session.timer.remaining_ms(table.now), 90 * SECOND);
    assert_eq!(table.session.timer.started_by, Some(player("Hana")));

    let mut table = Table::seating_with([], |settings| settings.timer_seconds = 0);
    table.when("Hana", start_unless_set()).then("TimerChanged");
    assert_eq!(table.session.timer.remaining_ms(table.now), MINUTE);
}

#[test]
fn every_use_of_the_timer_needs_the_permission() {
    let mut table = Table::seating(["Ben"]);
    let extend = Action::ExtendTimer { seconds: 5 };
    let all = [start_timer(5), Action::StopTimer, Action::PauseTimer, Action::ResumeTimer, extend];
    for action in all {
        table.when("Ben", action.clone()).refused("FORBIDDEN");
        table.when("Nobody", action).refused("NOT_JOINED");
    }
}

#[test]
fn a_timer_is_started_for_the_current_story_and_a_sane_time() {
    let mut table = Table::seating([]);
    let elsewhere = Action::StartTimer { seconds: None, on_expire: None, story: Some(StoryId(9)) };
    table.when("Hana", elsewhere).refused("STALE_STORY");
    table.when("Hana", start_timer(0)).refused("BAD_REQUEST");
    table.when("Hana", start_timer(3_601)).refused("BAD_REQUEST");
    table.when("Hana", start_timer(3_600)).then("TimerChanged");
}

#[test]
fn a_timer_that_runs_out_says_when() {
    let mut table = Table::seating([]);
    table.when("Hana", start_timer(60)).then("TimerChanged");
    let ends_at = table.now.add_ms(MINUTE);
    table.after(MINUTE - 1).changes_nothing();
    table.sleeps(HOUR);
    table.wakes().then("TimerChanged");
    assert_eq!(table.session.timer.phase, TimerPhase::Expired { ended_at: ends_at });
    assert_eq!(table.session.timer.remaining_ms(table.now), 0);
}

#[test]
fn a_timer_set_to_reveal_turns_the_cards_at_its_own_time_however_late_it_is_noticed() {
    let mut table = Table::seating(["Ben"]);
    table.when("Ben", vote("5")).then("VoteCast");
    table.when("Hana", start_to_reveal()).then("TimerChanged");
    let ends_at = table.now.add_ms(MINUTE);
    table.sleeps(HOUR);
    table.wakes().then("TimerChanged, Revealed");
    assert_eq!(table.results().reason, RevealReason::Timer);
    assert_eq!(table.results().revealed_at, ends_at);
    table.wakes().changes_nothing();
}

#[test]
fn a_timer_set_to_reveal_reveals_nothing_where_nobody_voted() {
    let mut table = Table::seating(["Ben"]);
    table.when("Hana", start_to_reveal()).then("TimerChanged");
    table.after(MINUTE).then("TimerChanged");
    assert!(!table.session.round.is_revealed());
    // It is applied once: a vote that comes later is not revealed by it.
    table.when("Ben", vote("5")).then("VoteCast");
    table.after(MINUTE).changes_nothing();
}

#[test]
fn a_timer_that_runs_out_after_the_reveal_reveals_nothing_again() {
    let mut table = Table::seating(["Ben"]);
    table.when("Ben", vote("5")).then("VoteCast");
    table.when("Hana", reveal()).then("Revealed");
    table.when("Hana", start_to_reveal()).then("TimerChanged");
    table.after(MINUTE).then("TimerChanged");
}

#[test]
fn the_setting_decides_what_happens_at_the_end_unless_the_start_does() {
    let mut table = Table::seating_with(["Ben"], |settings| {
        settings.timer_on_expire = OnExpire::Reveal;
    });
    table.when("Ben", vote("5")).then("VoteCast");
    table.when("Hana", start_timer(60)).then("TimerChanged");
    table.after(MINUTE).then("TimerChanged, Revealed");
}

#[test]
fn stopping_is_the_same_once_and_twice() {
    let mut table = Table::seating([]);
    table.when("Hana", Action::StopTimer).changes_nothing();
    table.when("Hana", start_timer(60)).then("TimerChanged");
    table.when("Hana", Action::StopTimer).then("TimerChanged");
    table.when("Hana", Action::StopTimer).changes_nothing();
    table.after(HOUR).changes_nothing();
}

#[test]
fn a_paused_timer_keeps_what_is_left_and_goes_on_with_it() {
    let mut table = Table::seating([]);
    table.when("Hana", Action::PauseTimer).refused("TIMER_NOT_RUNNING");
    table.when("Hana", Action::ResumeTimer).refused("TIMER_NOT_PAUSED");
    table.when("Hana", start_timer(60)).then("TimerChanged");
    table.when("Hana", Action::ResumeTimer).refused("TIMER_NOT_PAUSED");
    table.after(20 * SECOND).changes_nothing();
    table.when("Hana", Action::PauseTimer).then("TimerChanged");
    table.when("Hana", Action::PauseTimer).refused("TIMER_NOT_RUNNING");
    table.after(HOUR).changes_nothing();
    table.when("Hana", Action::ResumeTimer).then("TimerChanged");
    table.after(40 * SECOND - 1).changes_nothing();
    table.after(1).then("TimerChanged");
}

#[test]
fn a_timer_that_has_run_out_unnoticed_cannot_be_paused() {
    let mut table = Table::seating([]);
    table.when("Hana", start_timer(60)).then("TimerChanged");
    table.sleeps(MINUTE);
    table.when("Hana", Action::PauseTimer).refused("TIMER_NOT_RUNNING");
}

#[test]
fn a_timer_is_extended_and_shortened_up_to_an_hour_in_all() {
    let mut table = Table::seating([]);
    table.when("Hana", extend(5)).refused("TIMER_NOT_RUNNING");
    table.when("Hana", start_timer(3_000)).then("TimerChanged");
    table.when("Hana", extend(0)).changes_nothing();
    table.when("Hana", extend(600)).then("TimerChanged");
    let refusal = table.when("Hana", extend(1)).result.unwrap_err();
    assert!(matches!(refusal, Refusal::BadValue { field: "seconds", .. }));
    table.after(MINUTE).changes_nothing();
    table.when("Hana", extend(1)).refused("BAD_REQUEST");
    table.when("Hana", extend(-600)).then("TimerChanged");
    assert_eq!(table.session.timer.remaining_ms(table.now), 2_940 * SECOND);
    table.when("Hana", Action::PauseTimer).then("TimerChanged");
    table.when("Hana", extend(60)).then("TimerChanged");
    assert_eq!(table.session.timer.remaining_ms(table.now), 3_000 * SECOND);
}

#[test]
fn a_timer_shortened_to_nothing_runs_out() {
    let mut table = Table::seating([]);
    table.when("Hana", start_timer(60)).then("TimerChanged");
    table.when("Hana", extend(-600)).then("TimerChanged");
    table.wakes().then("TimerChanged");
    assert!(matches!(table.session.timer.phase, TimerPhase::Expired { .. }));
    table.when("Hana", extend(-5)).refused("TIMER_NOT_RUNNING");
}

#[test]
fn an_expired_timer_starts_again_with_what_is_added() {
    let mut table = Table::seating([]);
    table.when("Hana", start_timer(3_600)).then("TimerChanged");
    table.after(HOUR).then("TimerChanged");
    table.when("Hana", extend(30)).then("TimerChanged");
    assert_eq!(table.session.timer.remaining_ms(table.now), 30 * SECOND);
    table.after(30 * SECOND).then("TimerChanged");
}

fn start_unless_set() -> Action {
    Action::StartTimer { seconds: None, on_expire: None, story: None }
}

fn start_to_reveal() -> Action {
    Action::StartTimer { seconds: Some(60), on_expire: Some(OnExpire::Reveal), story: None }
}

fn extend(seconds: i32) -> Action {
    Action::ExtendTimer { seconds }
}
