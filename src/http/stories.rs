//! Stories, put on the list by other programs.

use std::sync::Arc;

use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::client_event::{EventName, StoryCreate};
use crate::http::bearer;
use crate::http::call::{Answer, Api, Call, json};
use crate::poker::command::Action;
use crate::poker::ids::StoryId;
use crate::poker::reply::Reply;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AddedStory {
    story_id: Option<StoryId>,
    /// The session's `seq` with the story in it.
    seq: u64,
}

/// Adds a story to the list; everybody at the table sees it. `requestId` is
/// not read: a request that is sent twice adds two stories. It counts like
/// `story:create` of the same seat.
#[utoipa::path(post, path = "/api/v1/sessions/{session}/stories",
    operation_id = "addStory", tag = "stories",
    params(("session" = String, Path, description = "Session id or join code")),
    security(("playerToken" = [])),
    request_body = StoryCreate,
    responses(
        (status = 201, description = "Added", body = AddedStory),
        (status = 400, description = "BAD_REQUEST"),
        (status = 401, description = "INVALID_PLAYER_TOKEN"),
        (status = 403, description = "FORBIDDEN, PLAYER_REMOVED, ORIGIN_NOT_ALLOWED"),
        (status = 404, description = "STORY_NOT_FOUND: of `afterId`"),
        (status = 409, description = "STORY_LIMIT"),
        (status = 410, description = "SESSION_EXPIRED, SESSION_ENDED"),
        (status = 413, description = "PAYLOAD_TOO_LARGE"),
        (status = 415, description = "UNSUPPORTED_MEDIA_TYPE"),
        (status = 429, description = "RATE_LIMITED"),
        (status = 503, description = "STATE_UNAVAILABLE"),
    ))]
pub(super) async fn create(api: Arc<Api>, call: Call) -> Answer {
    let member = bearer::member(&api, &call).await?;
    let story: StoryCreate = call.read()?;
    let action = Action::CreateStory {
        text: story.text(),
        after: story.after_id,
        client_ref: story.client_ref.map(|client_ref| client_ref.0),
    };
    let event = EventName::StoryCreate;
    let executed = api.table.execute(member.session, member.player, event, action).await?;
    let story_id = match executed.reply {
        Reply::Story { story } => Some(story),
        _ => None,
    };
    Ok(json(StatusCode::CREATED, &AddedStory { story_id, seq: executed.seq }))
}
