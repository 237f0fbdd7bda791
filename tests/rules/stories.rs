//! The list of stories, and which one is on the table.

use cardroom::poker::command::{Action, StoryEdit};
use cardroom::poker::event::Fact;
use cardroom::poker::ids::{RoundId, StoryId};
use cardroom::poker::reply::Reply;
use cardroom::poker::settings::Settings;
use cardroom::poker::story::StoryText;
use cardroom::poker::view::{Counts, StoryStatus};

use crate::rules::table::*;

#[test]
fn there_is_always_a_story_to_begin_with() {
    let table = Table::opened();
    assert_eq!(table.session.current_story().text, StoryText::default());
    assert_eq!(table.session.story_views()[0].status, StoryStatus::Voting);
}

#[test]
fn new_words_never_touch_the_votes() {
    let mut table = Table::seating(["Ben"]);
    table.when("Ben", vote("5")).then("VoteCast");
    let told = table.when("Hana", retitle("Login"));
    told.then("StoryUpdated").replies(&Reply::Story { story: StoryId(1) });
    table.when("Hana", retitle("Login")).changes_nothing();
    assert_eq!(table.session.vote_count(), 1);
}

#[test]
fn an_edit_leaves_what_it_does_not_name() {
    let mut table = Table::seating([]);
    let edit = |text| Action::UpdateStory(StoryEdit { story: Some(StoryId(1)), text });
    let all = StoryText {
        description: Some(text("As a user")),
        key: Some(text("SHOP-1")),
        link: Some(text("https://example.org/SHOP-1")),
        ..titled("Login")
    };
    table.when("Hana", edit(all.clone())).then("StoryUpdated");
    let cleared = StoryText { description: Some(text("")), ..StoryText::default() };
    table.when("Hana", edit(cleared)).then("StoryUpdated");
    let expected = StoryText { description: Some(text("")), ..all };
    assert_eq!(table.session.current_story().text, expected);
}

#[test]
fn editing_needs_the_permission_and_a_story() {
    let mut table = Table::seating(["Ben"]);
    table.when("Ben", retitle("Mine")).refused("FORBIDDEN");
    table.when("Nobody", retitle("Mine")).refused("NOT_JOINED");
    let missing = StoryEdit { story: Some(StoryId(9)), text: titled("Lost") };
    table.when("Hana", Action::UpdateStory(missing)).refused("STORY_NOT_FOUND");
}

#[test]
fn stories_are_added_at_the_end_or_after_another() {
    let mut table = Table::seating([]);
    table.when("Hana", create("Second")).then("StoryCreated");
    let after = |story| Action::CreateStory {
        text: titled("Between"),
        after: Some(StoryId(story)),
        client_ref: Some("c1".into()),
    };
    table.when("Hana", after(1)).then("StoryCreated").replies(&Reply::Story { story: StoryId(3) });
    assert_eq!(order(&table), [1, 3, 2]);
    table.when("Hana", after(9)).refused("STORY_NOT_FOUND");
}

#[test]
fn a_full_list_takes_no_more() {
    let mut table = Table::opened_with(|_, policy| policy.stories_max = 2);
    table.comes_back("Hana").then("SeatReturned");
    let two = Action::ImportStories { texts: vec![titled("A"), titled("B")] };
    table.when("Hana", two).refused("STORY_LIMIT");
    table.when("Hana", create("Second")).then("StoryCreated");
    table.when("Hana", create("Third")).refused("STORY_LIMIT");
}

#[test]
fn creating_needs_the_permission() {
    let mut table = Table::seating(["Ben"]);
    table.when("Ben", create("Mine")).refused("FORBIDDEN");
    table.when("Nobody", create("Mine")).refused("NOT_JOINED");
}

#[test]
fn facilitators_import_many_at_once() {
    let mut table = Table::seating_with(["Ben"], everyone);
    let two = || Action::ImportStories { texts: vec![titled("A"), titled("B")] };
    table.when("Ben", two()).refused("FORBIDDEN");
    table.when("Nobody", two()).refused("NOT_JOINED");
    let imported = Reply::Imported { stories: vec![StoryId(2), StoryId(3)] };
    table.when("Hana", two()).then("StoriesImported").replies(&imported);
    table.when("Hana", Action::ImportStories { texts: Vec::new() }).changes_nothing();
    assert_eq!(order(&table), [1, 2, 3]);
}

#[test]
fn a_story_is_deleted_unless_it_is_on_the_table() {
    let mut table = Table::seating(["Ben"]);
    table.when("Hana", create("Second")).then("StoryCreated");
    let delete = |story| Action::DeleteStory { story: StoryId(story) };
    table.when("Ben", delete(2)).refused("FORBIDDEN");
    table.when("Nobody", delete(2)).refused("NOT_JOINED");
    table.when("Hana", delete(1)).refused("STORY_ACTIVE");
    table.when("Hana", delete(2)).then("StoryDeleted");
    table.when("Hana", delete(2)).refused("STORY_NOT_FOUND");
    // Its number is not given away again.
    table.when("Hana", create("Third")).replies(&Reply::Story { story: StoryId(3) });
}

#[test]
fn stories_change_places() {
    let mut table = Table::seating(["Ben"]);
    table.when("Hana", create("Second")).then("StoryCreated");
    table.when("Hana", create("Third")).then("StoryCreated");
    let reorder = |story, before: Option<u32>| Action::ReorderStory {
        story: StoryId(story),
        before: before.map(StoryId),
    };
    table.when("Ben", reorder(3, Some(1))).refused("FORBIDDEN");
    table.when("Nobody", reorder(3, Some(1))).refused("NOT_JOINED");
    table.when("Hana", reorder(3, Some(1))).then("StoriesReordered");
    assert_eq!(order(&table), [3, 1, 2]);
    table.when("Hana", reorder(3, None)).then("StoriesReordered");
    assert_eq!(order(&table), [1, 2, 3]);
    table.when("Hana", reorder(3, None)).changes_nothing();
    table.when("Hana", reorder(1, Some(2))).changes_nothing();
    table.when("Hana", reorder(1, Some(1))).changes_nothing();
    table.when("Hana", reorder(9, None)).refused("STORY_NOT_FOUND");
    table.when("Hana", reorder(1, Some(9))).refused("STORY_NOT_FOUND");
}

// Which story is played.

#[test]
fn another_story_comes_to_the_table_with_a_round_of_its_own() {
    let mut table = Table::seating(["Ben"]);
    table.when("Hana", create("Second")).then("StoryCreated");
    table.when("Hana", start_timer(60)).then("TimerChanged");
    let told = table.when("Hana", activate(2));
    let Fact::StoryActivated { story, previous, round, timer } = told.only_fact() else {
        panic!("an activation")
    };
    assert_eq!((story.id, *previous, round.id), (StoryId(2), StoryId(1), RoundId(2)));
    assert!(!timer.is_live(), "the switch stops the timer");
    let same = Reply::NewRound { story: StoryId(2), round: RoundId(2) };
    table.when("Hana", activate(2)).changes_nothing().replies(&same);
}

#[test]
fn switching_stories_needs_the_permission_a_story_and_the_current_round() {
    let mut table = Table::seating(["Ben"]);
    table.when("Hana", create("Second")).then("StoryCreated");
    table.when("Ben", activate(2)).refused("FORBIDDEN");
    table.when("Nobody", activate(2)).refused("NOT_JOINED");
    table.when("Hana", activate(9)).refused("STORY_NOT_FOUND");
    let stale = Action::ActivateStory { story: StoryId(2), round: Some(RoundId(4)) };
    table.when("Hana", stale).refused("STALE_ROUND");
}

#[test]
fn an_unfinished_round_waits_with_its_votes_for_its_story() {
    let mut table = Table::seating(["Ben", "Cleo", "Dan"]);
    table.when("Hana", create("Second")).then("StoryCreated");
    for (name, value) in [("Ben", "5"), ("Cleo", "8"), ("Dan", "3")] {
        table.when(name, vote(value)).then("VoteCast");
    }
    table.when("Hana", activate(2)).then("StoryActivated");
    assert_eq!(table.session.vote_count(), 0);
    assert_eq!(table.session.story_views()[0].status, StoryStatus::Skipped);
    assert!(table.session.history.is_empty(), "it is not finished");

    // Meanwhile one watches and one is removed: their votes are gone.
    table.when("Cleo", watch(true)).then("SeatUpdated");
    table.when("Hana", remove("Dan")).then("SeatRemoved");
    let told = table.when("Hana", activate(1));
    let Fact::StoryActivated { round, .. } = told.only_fact() else { panic!("an activation") };
    assert_eq!(round.id, RoundId(3), "nobody aims at it by accident");
    assert_eq!(round.counts, Counts { votes: 1, eligible: 2 });
    assert_eq!(round.voted, [player("Ben")]);
    table.when("Ben", vote("5")).changes_nothing();
}

#[test]
fn a_revealed_round_is_put_away_by_the_switch_and_does_not_come_back() {
    let mut table = Table::seating([]);
    table.when("Hana", create("Second")).then("StoryCreated");
    table.when("Hana", vote("5")).then("VoteCast");
    table.when("Hana", reveal()).then("Revealed");
    table.when("Hana", activate(2)).then("StoryActivated");
    assert_eq!(table.session.history.len(), 1);
    table.when("Hana", Action::RestoreRound { round: RoundId(1) }).refused("STALE_ROUND");
    table.when("Hana", activate(1)).then("StoryActivated");
    assert_eq!(table.session.vote_count(), 0);
}

#[test]
fn a_countdown_does_not_wait_with_its_round_but_starts_again() {
    let mut table = Table::seating_with([], |settings| settings.auto_reveal = true);
    table.when("Hana", create("Second")).then("StoryCreated");
    table.when("Hana", vote("5")).then("VoteCast, CountdownStarted");
    table.when("Hana", activate(2)).then("StoryActivated");
    table.after(MINUTE).changes_nothing();
    table.when("Hana", activate(1)).then("StoryActivated, CountdownStarted");
}

#[test]
fn a_story_deleted_while_it_waits_takes_its_votes_along() {
    let mut table = Table::seating(["Ben"]);
    table.when("Hana", create("Second")).then("StoryCreated");
    table.when_as("Ben", "r1", vote("5")).then("VoteCast");
    table.when("Hana", activate(2)).then("StoryActivated");
    table.when("Hana", Action::DeleteStory { story: StoryId(1) }).then("StoryDeleted");
    table.when_as("Ben", "r1", vote("5")).changes_nothing().replies(&Reply::Done);
}

// The estimate.

#[test]
fn an_estimate_is_written_down_in_any_words_and_taken_back() {
    let mut table = Table::seating(["Ben"]);
    table.when("Ben", finalize(1, Some("5"))).refused("FORBIDDEN");
    table.when("Nobody", finalize(1, Some("5"))).refused("NOT_JOINED");
    table.when("Hana", finalize(9, Some("5"))).refused("STORY_NOT_FOUND");
    table.when("Hana", finalize(1, Some("5 days"))).then("StoryUpdated");
    table.when("Hana", finalize(1, Some("5 days"))).changes_nothing();
    assert_eq!(table.session.story_views()[0].status, StoryStatus::Estimated);
    table.when("Hana", finalize(1, None)).then("StoryUpdated");
    table.when("Hana", finalize(1, None)).changes_nothing();
}

#[test]
fn everybody_edits_the_list_where_the_settings_say_so() {
    let mut table = Table::seating_with(["Ben"], everyone);
    table.when("Ben", create("Mine")).then("StoryCreated");
    table.when("Ben", retitle("First")).then("StoryUpdated");
    table.when("Ben", activate(2)).then("StoryActivated");
    table.when("Ben", finalize(2, Some("8"))).then("StoryUpdated");
    table.when("Ben", Action::DeleteStory { story: StoryId(1) }).then("StoryDeleted");
}

fn everyone(settings: &mut Settings) {
    settings.permissions = cardroom::poker::settings::Permissions::OPEN;
}

fn order(table: &Table) -> Vec<u32> {
    table.session.stories.iter().map(|story| story.id.0).collect()
}
