//! The list of stories.

use compact_str::CompactString;

use crate::poker::command::{Actor, Aim, StoryEdit};
use crate::poker::decide::{Decision, guard};
use crate::poker::event::Fact;
use crate::poker::ids::{Millis, RoundId, StoryId};
use crate::poker::names::FinalEstimate;
use crate::poker::refusal::{Refusal, Required};
use crate::poker::reply::Reply;
use crate::poker::session::Session;
use crate::poker::story::{Story, StoryText};
use crate::poker::view::StoryView;

/// Somebody who may edit stories changes the words of one, the current one
/// unless another is named. Votes are never touched by that.
pub(super) fn update(
    session: &Session,
    by: Actor,
    edit: &StoryEdit,
    now: Millis,
) -> Result<Decision, Refusal> {
    guard::permitted(session, by, Required::Story, now)?;
    let story = edit.story.unwrap_or(session.round.story);
    let mut view = session.story_view(story).ok_or(Refusal::StoryNotFound)?;
    let before = view.text.clone();
    let StoryText { title, description, key, link } = edit.text.clone();
    view.text = StoryText {
        title: title.or(view.text.title),
        description: description.or(view.text.description),
        key: key.or(view.text.key),
        link: link.or(view.text.link),
    };
    let reply = Reply::Story { story };
    if view.text == before {
        return Ok(Decision::nothing(reply));
    }
    view.updated_at = now;
    Ok(Decision::fact(Fact::StoryUpdated { story: Box::new(view) }).replying(reply))
}

/// Somebody who may edit stories adds one, at the end or after another one.
pub(super) fn create(
    session: &Session,
    by: Actor,
    text: &StoryText,
    after: Option<StoryId>,
    client_ref: Option<&CompactString>,
    now: Millis,
) -> Result<Decision, Refusal> {
    guard::permitted(session, by, Required::Story, now)?;
    room_for(session, 1)?;
    let index = match after {
        None => session.stories.len(),
        Some(after) => index_of(session, after)? + 1,
    };
    let story = Story::new(session.next_story_id(), text.clone(), now);
    let view = StoryView { order_index: index as u32, ..session.view_of_new(&story, false) };
    let reply = Reply::Story { story: story.id };
    Ok(Decision::fact(Fact::StoryCreated {
        story: Box::new(story),
        view: Box::new(view),
        client_ref: client_ref.cloned(),
    })
    .replying(reply))
}

/// A facilitator adds many at the end.
pub(super) fn import(
    session: &Session,
    by: Actor,
    texts: &[StoryText],
    now: Millis,
) -> Result<Decision, Refusal> {
    guard::facilitator(session, by)?;
    room_for(session, texts.len())?;
    let stories: Vec<Story> = (session.next_story..)
        .zip(texts)
        .map(|(id, text)| Story::new(StoryId(id), text.clone(), now))
        .collect();
    let reply = Reply::Imported { stories: stories.iter().map(|story| story.id).collect() };
    if stories.is_empty() {
        return Ok(Decision::nothing(reply));
    }
    let mut views = session.story_views();
    for story in &stories {
        let order_index = views.len() as u32;
        views.push(StoryView { order_index, ..session.view_of_new(story, false) });
    }
    Ok(Decision::fact(Fact::StoriesImported { stories, views }).replying(reply))
}

/// Somebody who may edit stories removes one that is not being played.
pub(super) fn delete(
    session: &Session,
    by: Actor,
    story: StoryId,
    now: Millis,
) -> Result<Decision, Refusal> {
    guard::permitted(session, by, Required::Story, now)?;
    index_of(session, story)?;
    if story == session.round.story {
        return Err(Refusal::StoryActive);
    }
    Ok(Decision::fact(Fact::StoryDeleted { story }))
}

/// Somebody who may edit stories moves one before another, or to the end.
pub(super) fn reorder(
    session: &Session,
    by: Actor,
    story: StoryId,
    before: Option<StoryId>,
    now: Millis,
) -> Result<Decision, Refusal> {
    guard::permitted(session, by, Required::Story, now)?;
    index_of(session, story)?;
    if let Some(before) = before {
        index_of(session, before)?;
    }
    if before == Some(story) {
        return Ok(Decision::nothing(Reply::Done));
    }
    let mut order: Vec<StoryId> =
        session.stories.iter().map(|story| story.id).filter(|id| *id != story).collect();
    let index =
        before.and_then(|before| order.iter().position(|id| *id == before)).unwrap_or(order.len());
    order.insert(index, story);
    let is_same = session.stories.iter().map(|story| story.id).eq(order.iter().copied());
    if is_same {
        return Ok(Decision::nothing(Reply::Done));
    }
    let mut views = session.story_views();
    views.sort_by_cached_key(|view| order.iter().position(|id| *id == view.id));
    for (index, view) in (0u32..).zip(&mut views) {
        view.order_index = index;
    }
    Ok(Decision::fact(Fact::StoriesReordered { order, views }))
}

/// Somebody who may edit stories puts another one on the table. The running
/// round is archived if its cards are turned, and otherwise waits, with its
/// votes, for its story to come back.
pub(super) fn activate(
    session: &Session,
    by: Actor,
    story: StoryId,
    round: Option<RoundId>,
    now: Millis,
) -> Result<Decision, Refusal> {
    guard::permitted(session, by, Required::Story, now)?;
    guard::current(session, Aim { story: None, round })?;
    index_of(session, story)?;
    if story == session.round.story {
        let round = session.round.id;
        return Ok(Decision::nothing(Reply::NewRound { story, round }));
    }
    let round = session.round_of(story, now);
    let reply = Reply::NewRound { story, round: round.id };
    let view = session.story_view_in(story, &round).ok_or(Refusal::StoryNotFound)?;
    Ok(Decision::fact(Fact::StoryActivated {
        story: Box::new(view),
        previous: session.round.story,
        round: Box::new(session.view_of_round(&round)),
        timer: session.timer_of_new_round(now),
    })
    .replying(reply))
}

/// Somebody who may edit stories writes the estimate down, in any words, or
/// takes it back.
pub(super) fn finalize(
    session: &Session,
    by: Actor,
    story: StoryId,
    estimate: Option<&FinalEstimate>,
    now: Millis,
) -> Result<Decision, Refusal> {
    guard::permitted(session, by, Required::Story, now)?;
    let index = index_of(session, story)?;
    let reply = Reply::Story { story };
    if session.stories.get(index).is_some_and(|story| story.final_estimate.as_ref() == estimate) {
        return Ok(Decision::nothing(reply));
    }
    let view = session.view_with_estimate(index, estimate, now);
    Ok(Decision::fact(Fact::StoryUpdated { story: Box::new(view) }).replying(reply))
}

fn index_of(session: &Session, story: StoryId) -> Result<usize, Refusal> {
    session.stories.iter().position(|known| known.id == story).ok_or(Refusal::StoryNotFound)
}

fn room_for(session: &Session, stories: usize) -> Result<(), Refusal> {
    let stories_max = session.policy.stories_max;
    if usize::from(stories_max) < session.stories.len() + stories {
        return Err(Refusal::StoryLimit { stories_max });
    }
    Ok(())
}
