//! Votes before the reveal.

use cardroom::poker::command::{Action, Aim, Ballot};
use cardroom::poker::event::Fact;
use cardroom::poker::ids::{RoundId, StoryId};
use cardroom::poker::refusal::Refusal;
use cardroom::poker::reply::Reply;
use cardroom::poker::settings::SettingsPatch;
use cardroom::poker::view::Counts;

use crate::rules::table::*;

#[test]
fn a_vote_is_counted_and_its_voter_is_told_what_it_was() {
    let mut table = Table::seating(["Ben"]);
    let told = table.when("Ben", sure_vote("5", 4));
    let Fact::VoteCast { player: voter, counts, round, story, .. } = told.only_fact() else {
        panic!("a vote")
    };
    assert_eq!(*voter, player("Ben"));
    assert_eq!((*story, *round), (StoryId(1), RoundId(1)));
    assert_eq!(*counts, Counts { votes: 1, eligible: 2 });
    let Reply::Voted { card, confidence, .. } = &told.played().reply else { panic!("the vote") };
    assert_eq!(card.as_str(), "5");
    assert_eq!(confidence.map(|confidence| confidence.get()), Some(4));
}

#[test]
fn a_card_is_found_by_any_of_its_spellings() {
    let mut table = Table::seating([]);
    table.when("Hana", vote("☕\u{FE0F}")).then("VoteCast");
    table.when("Hana", vote("coffee")).changes_nothing();
}

#[test]
fn voting_again_replaces_the_vote_and_the_same_again_changes_nothing() {
    let mut table = Table::seating(["Ben"]);
    table.when("Ben", vote("5")).then("VoteCast");
    table.when("Ben", vote("5")).changes_nothing();
    table.when("Ben", vote("8")).then("VoteCast");
    table.when("Ben", sure_vote("8", 2)).then("VoteCast");
    assert_eq!(table.session.vote_count(), 1);
}

#[test]
fn votes_that_cannot_be_are_refused() {
    let mut table = Table::seating(["Ben"]);
    table.when("Nobody", vote("5")).refused("NOT_JOINED");
    table.when("Ben", vote("4")).refused("INVALID_CARD");
    table.when("Ben", Action::SubmitVote(aimed("5", 9, None))).refused("STALE_STORY");
    table.when("Ben", Action::SubmitVote(aimed("5", 1, Some(9)))).refused("STALE_ROUND");
    table.when("Ben", change("5")).refused("NO_VOTE_TO_CHANGE");
    table.when("Ben", Action::ChangeVote(aimed("5", 9, None))).refused("STALE_STORY");
    table.when("Ben", Action::ChangeVote(aimed("5", 1, Some(9)))).refused("STALE_ROUND");

    table.when("Ben", watch(true)).then("SeatUpdated");
    table.when("Ben", vote("5")).refused("SPECTATOR_CANNOT_VOTE");
    table.when("Ben", change("5")).refused("SPECTATOR_CANNOT_VOTE");
}

#[test]
fn a_stale_vote_learns_what_is_current() {
    let mut table = Table::seating(["Ben"]);
    table.when("Hana", reset_to("Next")).then("RoundReset");
    let late = table.when("Ben", Action::SubmitVote(aimed("5", 1, Some(1))));
    let current = Refusal::StaleStory { current_story: StoryId(2), round: RoundId(2) };
    assert_eq!(late.result.unwrap_err(), current);
}

#[test]
fn a_wrong_card_learns_the_deck() {
    let mut table = Table::seating([]);
    match table.when("Hana", vote("4")).result {
        Err(Refusal::InvalidCard { cards }) => assert_eq!(cards.len(), 14),
        _ => panic!("a refusal"),
    }
}

#[test]
fn confidence_is_refused_where_it_is_switched_off() {
    let mut table = Table::seating_with([], |settings| settings.confidence = false);
    table.when("Hana", sure_vote("5", 3)).refused("CONFIDENCE_DISABLED");
    table.when("Hana", vote("5")).then("VoteCast");
}

#[test]
fn after_the_reveal_it_is_too_late() {
    let mut table = Table::seating(["Ben"]);
    table.when("Ben", vote("5")).then("VoteCast");
    table.when("Hana", reveal()).then("Revealed");
    table.when("Hana", vote("5")).refused("ROUND_REVEALED");
    table.when("Ben", vote("5")).refused("ROUND_REVEALED");
    table.when("Ben", change("8")).refused("ROUND_REVEALED");
    table.when("Ben", retract()).refused("ROUND_REVEALED");
}

#[test]
fn a_changed_vote_looks_like_a_submitted_one() {
    let mut table = Table::seating(["Ben"]);
    table.when("Ben", vote("5")).then("VoteCast");
    table.when("Ben", change("5")).changes_nothing();
    table.when("Ben", change("8")).then("VoteCast");
    table.when("Ben", change("4")).refused("INVALID_CARD");
}

#[test]
fn a_change_that_comes_late_does_not_land_in_the_new_round() {
    let mut table = Table::seating(["Ben"]);
    table.when("Ben", vote("5")).then("VoteCast");
    table.when("Hana", reset()).then("RoundReset");
    table.when("Ben", change("8")).refused("NO_VOTE_TO_CHANGE");
    assert_eq!(table.session.vote_count(), 0);
}

#[test]
fn a_vote_is_taken_back_once() {
    let mut table = Table::seating(["Ben"]);
    table.when("Ben", vote("5")).then("VoteCast");
    let stale = Action::RetractVote { aim: aim_at_round(2) };
    table.when("Ben", stale).refused("STALE_ROUND");
    let elsewhere = Action::RetractVote { aim: Aim { story: Some(StoryId(2)), round: None } };
    table.when("Ben", elsewhere).refused("STALE_STORY");
    table.when("Ben", retract()).then("VoteDropped");
    table.when("Ben", retract()).changes_nothing();
    table.when("Nobody", retract()).refused("NOT_JOINED");
}

#[test]
fn a_voter_who_left_still_counts() {
    let mut table = Table::seating(["Ben", "Cleo"]);
    table.when("Ben", vote("5")).then("VoteCast");
    table.leaves("Ben").then("SeatDisconnected, SeatLeft");
    assert_eq!(table.session.counts(), Counts { votes: 1, eligible: 3 });
    table.leaves("Cleo").then("SeatDisconnected, SeatLeft");
    assert_eq!(table.session.counts(), Counts { votes: 1, eligible: 2 });
}

#[test]
fn no_fact_and_no_reply_shows_a_vote_when_printed() {
    let mut table = Table::seating_with(["Ben"], |settings| {
        settings.deck =
            cardroom::poker::deck::Deck::custom("Ours", ["§7", "1", "2"]).expect("a deck");
    });
    let told = table.when_as("Ben", "r1", sure_vote("§7", 5));
    let shown = format!("{:?} {:?}", told.played(), table.session.round);
    assert!(!shown.contains("§7"), "{shown}");
    let shown = format!("{:?}", table.seat("Ben"));
    assert!(!shown.contains("§7"), "{shown}");
}

#[test]
fn switching_confidence_off_keeps_the_votes() {
    let mut table = Table::seating(["Ben"]);
    table.when("Ben", sure_vote("5", 5)).then("VoteCast");
    let patch = SettingsPatch { confidence: Some(false), ..SettingsPatch::default() };
    table.when("Hana", configure(patch)).then("Configured");
    assert_eq!(table.session.vote_count(), 1);
}

fn aimed(value: &str, story: u32, round: Option<u32>) -> Ballot {
    Ballot { story: StoryId(story), round: round.map(RoundId), ..ballot(value) }
}
