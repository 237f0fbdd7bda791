//! A command that is sent again under the same `requestId`.

use cardroom::poker::command::Action;
use cardroom::poker::reply::Reply;

use crate::rules::table::*;

#[test]
fn a_repeated_request_gets_the_first_answer_and_has_no_second_effect() {
    let mut table = Table::seating([]);
    let first = Reply::Story { story: cardroom::poker::ids::StoryId(2) };
    table.when_as("Hana", "r1", create("Second")).then("StoryCreated").replies(&first);
    table.when_as("Hana", "r1", create("Second")).changes_nothing().replies(&first);
    assert_eq!(table.session.stories.len(), 2);
}

#[test]
fn a_repeated_reset_does_not_reset_the_next_round() {
    let mut table = Table::seating([]);
    table.when("Hana", vote("5")).then("VoteCast");
    table.when_as("Hana", "r1", reset()).then("RoundReset");
    table.when("Hana", vote("8")).then("VoteCast");
    table.when_as("Hana", "r1", reset()).changes_nothing();
    assert_eq!(table.session.vote_count(), 1);
}

#[test]
fn a_repeated_vote_does_not_land_in_the_next_round() {
    let mut table = Table::seating(["Ben"]);
    table.when_as("Ben", "r1", vote("5")).then("VoteCast");
    table.when("Hana", reveal()).then("Revealed");
    table.when("Hana", reset()).then("RoundReset");
    table.when_as("Ben", "r1", vote("5")).changes_nothing();
    assert_eq!(table.session.vote_count(), 0);
}

#[test]
fn requests_of_two_seats_are_two_requests() {
    let mut table = Table::seating(["Ben"]);
    table.when_as("Hana", "r1", vote("5")).then("VoteCast");
    table.when_as("Ben", "r1", vote("5")).then("VoteCast");
}

#[test]
fn a_refused_request_may_be_sent_again() {
    let mut table = Table::seating(["Ben"]);
    table.when_as("Hana", "r1", reveal()).refused("NO_VOTES");
    table.when("Ben", vote("5")).then("VoteCast");
    table.when_as("Hana", "r1", reveal()).then("Revealed");
}

#[test]
fn the_last_sixteen_requests_are_remembered() {
    let mut table = Table::seating([]);
    for number in 0..17 {
        table.when_as("Hana", &format!("r{number}"), create("One more")).then("StoryCreated");
    }
    table.when_as("Hana", "r1", create("One more")).changes_nothing();
    table.when_as("Hana", "r0", create("One more")).then("StoryCreated");
}

#[test]
fn a_request_is_remembered_with_everything_it_decided() {
    let mut table = Table::seating(["Ben"]);
    table.when("Ben", vote("5")).then("VoteCast");
    let told = table.when_as("Ben", "r1", watch(true));
    told.then("VoteDropped, SeatUpdated");
    let marked: Vec<bool> =
        told.played().events.iter().map(|event| event.request.is_some()).collect();
    assert_eq!(marked, [false, true]);
    table.when_as("Ben", "r1", watch(true)).changes_nothing();
}

#[test]
fn a_request_is_answered_even_after_the_session_has_ended() {
    let mut table = Table::seating([]);
    table.when_as("Hana", "r1", Action::End).then("Ended");
    table.when_as("Hana", "r1", Action::End).changes_nothing().replies(&Reply::Done);
    table.when_as("Hana", "r2", Action::End).refused("SESSION_ENDED");
}
