//! Turning the cards: by hand, by themselves, without names, and changes of
//! mind afterwards.

use cardroom::poker::command::{Action, Aim, Ballot};
use cardroom::poker::event::Fact;
use cardroom::poker::ids::{RoundId, StoryId};
use cardroom::poker::reply::Reply;
use cardroom::poker::round::{Phase, RevealReason};
use cardroom::poker::settings::{Settings, SettingsPatch};
use cardroom::poker::tally::Confidence;

use crate::rules::table::*;

#[test]
fn a_reveal_shows_every_vote_and_who_passed() {
    let mut table = Table::seating(["Ben", "Cleo", "Dan"]);
    table.when("Dan", watch(true)).then("SeatUpdated");
    table.when("Ben", vote("5")).then("VoteCast");
    table.sleeps(SECOND);
    table
        .when("Hana", reveal())
        .then("Revealed")
        .replies(&Reply::Revealed { round: RoundId(1), already: false });
    let results = table.results();
    assert_eq!(results.reason, RevealReason::Manual);
    assert_eq!(results.revealed_by, Some(player("Hana")));
    assert_eq!(results.revealed_at, table.now);
    assert_eq!(listed(&table), [("Hana", None), ("Ben", Some("5")), ("Cleo", None)]);
}

#[test]
fn those_who_passed_are_not_listed_where_the_settings_say_so() {
    let mut table = Table::seating_with(["Ben"], |settings| settings.list_passes = false);
    table.when("Ben", vote("5")).then("VoteCast");
    table.when("Hana", reveal()).then("Revealed");
    assert_eq!(listed(&table), [("Ben", Some("5"))]);
}

#[test]
fn nothing_is_revealed_before_somebody_has_voted() {
    let mut table = Table::seating(["Ben"]);
    table.when("Hana", reveal()).refused("NO_VOTES");
    assert_eq!(table.session.round.phase, Phase::Voting);
}

#[test]
fn a_reveal_needs_the_permission_and_the_current_round() {
    let mut table = Table::seating(["Ben"]);
    table.when("Ben", vote("5")).then("VoteCast");
    table.when("Ben", reveal()).refused("FORBIDDEN");
    table.when("Nobody", reveal()).refused("NOT_JOINED");
    table.when("Hana", Action::Reveal { aim: aim_at_round(2) }).refused("STALE_ROUND");
    let elsewhere = Aim { story: Some(StoryId(2)), round: None };
    table.when("Hana", Action::Reveal { aim: elsewhere }).refused("STALE_STORY");
}

#[test]
fn a_second_reveal_of_the_same_round_is_fine_and_says_so() {
    let mut table = Table::seating(["Ben"]);
    table.when("Ben", vote("5")).then("VoteCast");
    table.when("Hana", reveal()).then("Revealed");
    let already = Reply::Revealed { round: RoundId(1), already: true };
    table.when("Hana", reveal()).changes_nothing().replies(&already);
}

#[test]
fn a_reveal_stops_the_timer() {
    let mut table = Table::seating(["Ben"]);
    table.when("Hana", start_timer(60)).then("TimerChanged");
    table.when("Ben", vote("5")).then("VoteCast");
    table.when("Hana", reveal()).then("Revealed, TimerChanged");
    assert!(!table.session.timer.is_live());
}

// The countdown.

#[test]
fn the_last_vote_starts_a_countdown_and_its_end_turns_the_cards() {
    let mut table = Table::seating_with(["Ben"], auto);
    table.when("Ben", vote("5")).then("VoteCast");
    table.when("Hana", vote("5")).then("VoteCast, CountdownStarted");
    table.after(2_999).changes_nothing();
    table.after(1).then("Revealed");
    assert_eq!(table.results().reason, RevealReason::Auto);
    assert_eq!(table.results().revealed_by, None);
}

#[test]
fn without_a_countdown_the_cards_turn_at_once() {
    let mut table = Table::seating_with(["Ben"], |settings| {
        auto(settings);
        settings.reveal_countdown_ms = 0;
    });
    table.when("Ben", vote("5")).then("VoteCast");
    table.when("Hana", vote("5")).then("VoteCast, Revealed");
}

#[test]
fn a_countdown_that_nobody_served_ends_at_its_own_time() {
    let mut table = counting_down();
    let due = table.now.add_ms(3_000);
    table.sleeps(HOUR);
    table.wakes().then("Revealed");
    assert_eq!(table.results().revealed_at, due);
}

#[test]
fn a_newcomer_does_not_stop_the_countdown() {
    let mut table = counting_down();
    table.arrives("Cleo").then("SeatTaken");
    table.after(3_000).then("Revealed");
    assert_eq!(listed(&table), [("Hana", Some("5")), ("Ben", Some("5")), ("Cleo", None)]);
}

#[test]
fn a_spectator_who_wants_to_vote_does_not_stop_the_countdown() {
    let mut table = Table::seating_with(["Ben", "Cleo"], auto);
    table.when("Cleo", watch(true)).then("SeatUpdated");
    table.when("Ben", vote("5")).then("VoteCast");
    table.when("Hana", vote("5")).then("VoteCast, CountdownStarted");
    table.when("Cleo", watch(false)).then("SeatUpdated");
    table.when("Cleo", vote("8")).then("VoteCast");
    table.after(3_000).then("Revealed");
}

#[test]
fn a_vote_taken_back_stops_the_countdown_and_the_next_starts_it_again() {
    let mut table = counting_down();
    table.after(2_000).changes_nothing();
    table.when("Ben", retract()).then("VoteDropped, CountdownCancelled");
    table.after(MINUTE).changes_nothing();
    table.when("Ben", vote("8")).then("VoteCast, CountdownStarted");
    table.after(3_000).then("Revealed");
}

#[test]
fn a_vote_changed_during_the_countdown_counts_as_it_is_at_the_end() {
    let mut table = counting_down();
    table.when("Ben", change("8")).then("VoteCast");
    table.after(3_000).then("Revealed");
    assert_eq!(listed(&table), [("Hana", Some("5")), ("Ben", Some("8"))]);
}

#[test]
fn the_countdown_goes_on_without_a_voter_who_now_watches() {
    let mut table = counting_down();
    table.when("Ben", watch(true)).then("VoteDropped, SeatUpdated");
    table.after(3_000).then("Revealed");
    assert_eq!(listed(&table), [("Hana", Some("5"))]);
}

#[test]
fn a_countdown_towards_nothing_stops() {
    let mut table = Table::seating_with([], auto);
    table.when("Hana", vote("5")).then("VoteCast, CountdownStarted");
    table.when("Hana", watch(true)).then("VoteDropped, SeatUpdated, CountdownCancelled");
}

#[test]
fn a_countdown_is_cancelled_by_who_may_reveal() {
    let mut table = counting_down();
    table.when("Ben", Action::CancelCountdown).refused("FORBIDDEN");
    table.when("Nobody", Action::CancelCountdown).refused("NOT_JOINED");
    table.when("Hana", Action::CancelCountdown).then("CountdownCancelled");
    table.when("Hana", Action::CancelCountdown).changes_nothing();
    table.after(MINUTE).changes_nothing();
}

#[test]
fn a_new_name_does_not_start_a_cancelled_countdown_again() {
    let mut table = counting_down();
    table.when("Hana", Action::CancelCountdown).then("CountdownCancelled");
    table.when("Ben", rename("Benno")).then("SeatUpdated");
    table.when("Ben", change("13")).then("VoteCast, CountdownStarted");
}

#[test]
fn a_reveal_by_hand_overtakes_the_countdown() {
    let mut table = counting_down();
    table.when("Hana", reveal()).then("Revealed");
    table.after(MINUTE).changes_nothing();
}

#[test]
fn a_reset_ends_the_countdown() {
    let mut table = counting_down();
    table.when("Hana", reset()).then("RoundReset");
    table.after(MINUTE).changes_nothing();
}

// Who is waited for.

#[test]
fn switching_auto_reveal_on_looks_at_the_table_and_off_stops_the_countdown() {
    let mut table = Table::seating(["Ben"]);
    table.when("Ben", vote("5")).then("VoteCast");
    table.when("Hana", vote("5")).then("VoteCast");
    let switched = |auto_reveal| {
        configure(SettingsPatch { auto_reveal: Some(auto_reveal), ..SettingsPatch::default() })
    };
    table.when("Hana", switched(true)).then("Configured, CountdownStarted");
    table.when("Hana", switched(false)).then("Configured, CountdownCancelled");
}

#[test]
fn nobody_waits_for_spectators_or_for_those_who_left() {
    let mut table = Table::seating_with(["Ben", "Cleo", "Dan"], auto);
    table.when("Hana", vote("5")).then("VoteCast");
    table.when("Ben", watch(true)).then("SeatUpdated");
    table.leaves("Cleo").then("SeatDisconnected, SeatLeft");
    table.when("Hana", remove("Dan")).then("SeatRemoved, CountdownStarted");
}

#[test]
fn a_lost_connection_is_waited_for_until_the_grace_period_is_over() {
    let mut table = Table::seating_with(["Ben"], auto);
    table.when("Hana", vote("5")).then("VoteCast");
    table.loses("Ben").then("SeatDisconnected");
    table.after(9_999).then("StatusSettled");
    table.after(1).then("SeatLeft, CountdownStarted");
}

#[test]
fn the_last_voter_to_leave_reveals_nothing() {
    let mut table = Table::seating_with([], auto);
    table.leaves("Hana").then("SeatDisconnected, SeatLeft");
    assert!(!table.session.everybody_voted());
    table.arrives("Cleo").then("SeatTaken");
    table.when("Cleo", watch(true)).then("SeatUpdated");
}

// Without names.

#[test]
fn an_anonymous_reveal_has_no_names_times_or_outliers_and_an_order_that_says_nothing() {
    let mut table = anonymous(["Ben", "Cleo", "Dan"]);
    for (name, value) in [("Hana", "21"), ("Ben", "1"), ("Dan", "1")] {
        table.when(name, vote(value)).then("VoteCast");
    }
    table.when("Hana", reveal()).then("Revealed");
    let results = table.results();
    assert!(results.is_anonymous());
    assert!(results.tally.outliers.is_empty());
    for vote in &results.votes {
        assert_eq!((vote.player, &vote.name, vote.cast_at), (None, &None, None));
    }
    assert_eq!(cards(&table), [Some("1"), Some("1"), Some("21"), None]);
}

#[test]
fn who_changed_an_anonymous_vote_cannot_be_told() {
    // The same cards in other hands, and another one of them changes: what
    // everybody sees is the same.
    let seen = |hands: [(&str, &str); 3], changes: &str| {
        let mut table = anonymous(["Ben", "Cleo"]);
        for (name, value) in hands {
            table.when(name, vote(value)).then("VoteCast");
        }
        table.when("Hana", reveal()).then("Revealed");
        table.sleeps(MINUTE);
        table.when(changes, change("8")).then("VoteAmended");
        let initial: Vec<_> =
            table.results().votes.iter().map(|vote| vote.initial.clone()).collect();
        assert_eq!(cards(&table), [Some("5"), Some("8"), Some("8")]);
        assert!(initial[1] != initial[2], "one of the eights was a five");
        (table.results().clone(), table.session.player_views())
    };
    let one = seen([("Hana", "5"), ("Ben", "5"), ("Cleo", "8")], "Hana");
    let other = seen([("Cleo", "5"), ("Ben", "8"), ("Hana", "5")], "Cleo");
    assert!(one == other);
}

#[test]
fn anonymous_results_stay_so_when_the_setting_changes_later() {
    let mut table = anonymous(["Ben"]);
    table.when("Hana", vote("5")).then("VoteCast");
    table.when("Ben", vote("1")).then("VoteCast");
    table.when("Hana", reveal()).then("Revealed");
    let patch = SettingsPatch { anonymous: Some(false), ..SettingsPatch::default() };
    table.when("Hana", configure(patch)).then("Configured");
    table.when("Ben", change("21")).then("VoteAmended");
    assert!(table.results().votes.iter().all(|vote| vote.player.is_none()));
    assert!(table.results().tally.outliers.is_empty());
}

// Changes of mind.

#[test]
fn a_vote_changed_after_the_reveal_keeps_the_first_card_on_record() {
    let mut table = changeable();
    table.sleeps(SECOND);
    let told = table.when("Ben", change("8"));
    let Fact::VoteAmended { player: who, .. } = told.only_fact() else { panic!("a change") };
    assert_eq!(*who, player("Ben"));
    let results = table.results();
    assert_eq!(results.revealed_by, Some(player("Hana")));
    assert!(results.revealed_at < table.now, "the reveal was earlier");
    assert_eq!(initial_of(&table, "Ben"), Some("5".into()));
    assert_eq!(results.tally.suggested.as_ref().map(|card| card.as_str()), Some("8"));

    table.when("Ben", change("13")).then("VoteAmended");
    assert_eq!(initial_of(&table, "Ben"), Some("5".into()));
    table.when("Ben", change("5")).then("VoteAmended");
    assert_eq!(initial_of(&table, "Ben"), None, "back where it was");
    table.when("Ben", change("5")).changes_nothing();

    let sure = Confidence::try_from(5).ok();
    let surer = Action::ChangeVote(Ballot { confidence: sure, ..ballot("5") });
    table.when("Ben", surer).then("VoteAmended");
    assert_eq!(initial_of(&table, "Ben"), None, "the card is the same");
}

#[test]
fn only_a_vote_that_was_cast_can_change_after_the_reveal() {
    let mut table = changeable();
    table.arrives("Cleo").then("SeatTaken");
    table.when("Cleo", change("8")).refused("NO_VOTE_TO_CHANGE");
    table.when("Ben", vote("8")).refused("ROUND_REVEALED");
}

#[test]
fn a_change_leaves_the_rest_of_the_list_as_it_was_revealed() {
    let mut table = changeable();
    table.arrives("Cleo").then("SeatTaken");
    table.when("Hana", remove("Dan")).then("SeatRemoved");
    table.when("Ben", change("8")).then("VoteAmended");
    assert_eq!(listed(&table), [("Hana", Some("8")), ("Ben", Some("8")), ("Dan", Some("3"))]);
    assert_eq!(table.results().tally.total_votes, 3);
}

#[test]
fn the_history_has_both_cards() {
    let mut table = changeable();
    table.when("Ben", change("8")).then("VoteAmended");
    table.when("Hana", reset()).then("RoundReset");
    let round = table.session.history.back().and_then(|round| round.results.as_deref());
    let votes = &round.expect("the round").votes;
    let ben = votes.iter().find(|vote| vote.player == Some(player("Ben"))).expect("a vote");
    let label = |card: &Option<cardroom::poker::card::Card>| card.as_ref().map(ToString::to_string);
    assert_eq!((label(&ben.card), label(&ben.initial)), (Some("8".into()), Some("5".into())));
}

fn auto(settings: &mut Settings) {
    settings.auto_reveal = true;
}

fn counting_down() -> Table {
    let mut table = Table::seating_with(["Ben"], auto);
    table.when("Hana", vote("5")).then("VoteCast");
    table.when("Ben", vote("5")).then("VoteCast, CountdownStarted");
    table
}

fn anonymous<const N: usize>(others: [&str; N]) -> Table {
    Table::seating_with(others, |settings| {
        settings.anonymous = true;
        settings.allow_change_after_reveal = true;
    })
}

/// Hana 8, Ben 5, Dan 3, revealed, and minds may change.
fn changeable() -> Table {
    let mut table = Table::seating_with(["Ben", "Dan"], |settings| {
        settings.allow_change_after_reveal = true;
    });
    for (name, value) in [("Hana", "8"), ("Ben", "5"), ("Dan", "3")] {
        table.when(name, vote(value)).then("VoteCast");
    }
    table.when("Hana", reveal()).then("Revealed");
    table
}

fn listed(table: &Table) -> Vec<(&str, Option<&str>)> {
    let name = |vote: &'_ cardroom::poker::round::RevealedVote| {
        vote.name.as_ref().map(|name| name.as_str().to_owned()).expect("a name")
    };
    let votes = &table.results().votes;
    let known = ["Hana", "Ben", "Cleo", "Dan"];
    votes
        .iter()
        .map(|vote| {
            let name = name(vote);
            let name = known.into_iter().find(|known| *known == name).expect("a known name");
            (name, vote.card.as_ref().map(|card| card.as_str()))
        })
        .collect()
}

fn cards(table: &Table) -> Vec<Option<&str>> {
    let votes = table.results().votes.iter();
    votes.map(|vote| vote.card.as_ref().map(|card| card.as_str())).collect()
}

fn initial_of(table: &Table, name: &str) -> Option<String> {
    let votes = table.results().votes.iter();
    let vote = votes.into_iter().find(|vote| vote.player == Some(player(name)));
    vote.and_then(|vote| vote.initial.as_ref()).map(ToString::to_string)
}
