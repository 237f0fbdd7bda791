//! Sessions: opened, looked at, ended.

use std::sync::Arc;

use http::header::LOCATION;
use http::{HeaderValue, Response, StatusCode};
use secrecy::ExposeSecret;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::client_event::EventName;
use crate::api::deck_choice::DeckChoice;
use crate::api::rest::NewSession;
use crate::api::settings_edit::PasswordEdit;
use crate::api::snapshot::{Scene, SessionSnapshot, SessionStatus};
use crate::api::time::Iso;
use crate::http::bearer;
use crate::http::call::{Answer, Api, Call, json};
use crate::http::problem::Problem;
use crate::poker::command::Action;
use crate::poker::ids::{JoinCode, Millis, PlayerId, SessionId, SessionRef};
use crate::poker::refusal::Refusal;
use crate::poker::session::Session;
use crate::poker::settings::SettingsPatch;
use crate::table::CreateRequest;
use crate::transport::body::Body;

/// The opened session and its host's seat.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OpenedSession<'a> {
    session_id: SessionId,
    code: JoinCode,
    /// The player token of the host's seat. Whoever has it is the host.
    host_token: &'a str,
    host_player_id: PlayerId,
    expires_at: Iso,
    /// Where the session is; relative to this server.
    url: String,
}

/// What everybody may know who knows a session's id or code: enough for the
/// screen on which one joins.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionCard<'a> {
    session_id: SessionId,
    code: JoinCode,
    name: &'a str,
    status: SessionStatus,
    player_count: u32,
    password_protected: bool,
    locked: bool,
    deck_name: &'a str,
}

/// Opens a session. The host's seat waits for whoever joins with `hostToken`.
#[utoipa::path(post, path = "/api/v1/sessions",
    operation_id = "openSession", tag = "sessions",
    request_body = NewSession,
    responses(
        (status = 201, description = "Opened", body = OpenedSession<'static>,
            headers(("Location" = String, description = "The session's public card"))),
        (status = 400, description = "BAD_REQUEST, INVALID_DECK"),
        (status = 403, description = "ORIGIN_NOT_ALLOWED"),
        (status = 413, description = "PAYLOAD_TOO_LARGE"),
        (status = 415, description = "UNSUPPORTED_MEDIA_TYPE"),
        (status = 429, description = "RATE_LIMITED"),
        (status = 503, description = "STATE_UNAVAILABLE, SERVER_BUSY, SERVER_SHUTDOWN"),
    ))]
pub(super) async fn create(api: Arc<Api>, call: Call) -> Answer {
    let new: NewSession = call.read()?;
    let opened = api.table.create(request(new)?, call.address()).await?;
    let url = format!("/api/v1/sessions/{}", opened.session);
    let location = HeaderValue::try_from(&url);
    let body = OpenedSession {
        session_id: opened.session,
        code: opened.code,
        host_token: opened.host_token.expose_secret(),
        host_player_id: opened.host,
        expires_at: Iso(opened.expires_at),
        url,
    };
    let mut response = json(StatusCode::CREATED, &body);
    if let Ok(location) = location {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// The public card of a session, open or just over.
#[utoipa::path(get, path = "/api/v1/sessions/{session}",
    operation_id = "sessionCard", tag = "sessions",
    params(("session" = String, Path, description = "Session id or join code")),
    responses(
        (status = 200, description = "The card", body = SessionCard<'static>),
        (status = 404, description = "SESSION_NOT_FOUND"),
        (status = 410, description = "SESSION_EXPIRED, SESSION_ENDED"),
        (status = 429, description = "RATE_LIMITED: too many codes that are none"),
        (status = 503, description = "STATE_UNAVAILABLE"),
    ))]
pub(super) async fn card(api: Arc<Api>, call: Call) -> Answer {
    let card = |session: &Session, _: Millis| {
        json(
            StatusCode::OK,
            &SessionCard {
                session_id: session.id,
                code: session.code,
                name: session.settings.name.as_str(),
                status: session.status.into(),
                player_count: session.player_count(),
                password_protected: session.password.is_some(),
                locked: session.settings.locked,
                deck_name: session.deck().name(),
            },
        )
    };
    let session = call.session()?;
    Ok(api.reach(session, call.address(), api.table.read(session, card)).await?)
}

/// The session as its member sees it: the same snapshot as over Socket.IO.
#[utoipa::path(get, path = "/api/v1/sessions/{session}/state",
    operation_id = "sessionState", tag = "sessions",
    params(("session" = String, Path, description = "Session id or join code")),
    security(("playerToken" = [])),
    responses(
        (status = 200, description = "The snapshot", body = SessionSnapshot<'static>),
        (status = 401, description = "INVALID_PLAYER_TOKEN"),
        (status = 403, description = "PLAYER_REMOVED"),
        (status = 410, description = "SESSION_EXPIRED, SESSION_ENDED"),
        (status = 503, description = "STATE_UNAVAILABLE"),
    ))]
pub(super) async fn state(api: Arc<Api>, call: Call) -> Answer {
    let member = bearer::member(&api, &call).await?;
    let snapshot = move |session: &Session, now| {
        json(StatusCode::OK, &Scene::new(session, now).snapshot(member.player))
    };
    Ok(api.table.read(SessionRef::Id(member.session), snapshot).await?)
}

/// Ends the session for everybody. The host's to do.
#[utoipa::path(delete, path = "/api/v1/sessions/{session}",
    operation_id = "endSession", tag = "sessions",
    params(("session" = String, Path, description = "Session id or join code")),
    security(("playerToken" = [])),
    responses(
        (status = 204, description = "Ended"),
        (status = 401, description = "INVALID_PLAYER_TOKEN"),
        (status = 403, description = "FORBIDDEN, PLAYER_REMOVED, ORIGIN_NOT_ALLOWED"),
        (status = 410, description = "SESSION_EXPIRED, SESSION_ENDED"),
        (status = 429, description = "RATE_LIMITED"),
        (status = 503, description = "STATE_UNAVAILABLE"),
    ))]
pub(super) async fn end(api: Arc<Api>, call: Call) -> Answer {
    let member = bearer::member(&api, &call).await?;
    let event = EventName::SessionEnd;
    api.table.execute(member.session, member.player, event, Action::End).await?;
    let mut response = Response::new(Body::default());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

/// `settings` may name a password as well; the one beside it prevails. Their
/// `name` and `deck` are those of later changes and not read here.
fn request(new: NewSession) -> Result<CreateRequest, Problem> {
    let deck = new.deck.map(DeckChoice::deck).transpose().map_err(Refusal::from)?;
    let patch = match &new.settings {
        Some(settings) => settings.patch()?,
        None => SettingsPatch::default(),
    };
    let password = new.password.or_else(|| match new.settings?.password {
        PasswordEdit::Set(password) => Some(password),
        PasswordEdit::Keep | PasswordEdit::Remove => None,
    });
    Ok(CreateRequest {
        name: new.name,
        deck,
        patch,
        password: password.map(|password| password.0),
        player_name: new.player_name,
        avatar: new.avatar,
    })
}
