//! Seats: taken, and asked after.

use std::sync::Arc;

use http::StatusCode;
use secrecy::ExposeSecret;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::client_event::SessionJoin;
use crate::api::rest::{TokenCheck, ValidToken};
use crate::http::call::{Answer, Api, Call, json};
use crate::poker::ids::{Millis, PlayerId, SessionId, SessionRef};
use crate::poker::refusal::Refusal;
use crate::poker::session::Session;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TakenSeat<'a> {
    session_id: SessionId,
    player_id: PlayerId,
    /// Whoever has it holds the seat: show it in the `auth` of the handshake,
    /// or as the bearer token of this API.
    player_token: &'a str,
}

/// Takes a seat without a socket: a new one, or with `playerToken` one's own.
/// The seat is at the table once a socket joins with the token. `sessionId`
/// and `protocol` are not read; the path names the session.
#[utoipa::path(post, path = "/api/v1/sessions/{session}/join",
    operation_id = "join", tag = "seats",
    params(("session" = String, Path, description = "Session id or join code")),
    request_body = SessionJoin,
    responses(
        (status = 200, description = "Seated", body = TakenSeat<'static>),
        (status = 400, description = "BAD_REQUEST, NAME_REQUIRED"),
        (status = 401, description = "INVALID_PLAYER_TOKEN"),
        (status = 403, description = "PASSWORD_REQUIRED, PASSWORD_INVALID, PLAYER_REMOVED, \
            ORIGIN_NOT_ALLOWED"),
        (status = 404, description = "SESSION_NOT_FOUND"),
        (status = 409, description = "SESSION_FULL"),
        (status = 410, description = "SESSION_EXPIRED, SESSION_ENDED"),
        (status = 413, description = "PAYLOAD_TOO_LARGE"),
        (status = 415, description = "UNSUPPORTED_MEDIA_TYPE"),
        (status = 423, description = "SESSION_LOCKED"),
        (status = 429, description = "RATE_LIMITED"),
        (status = 503, description = "STATE_UNAVAILABLE, SERVER_BUSY, SERVER_SHUTDOWN"),
    ))]
pub(super) async fn join(api: Arc<Api>, call: Call) -> Answer {
    let join: SessionJoin = call.read()?;
    let seated = api.table.join(call.session()?, join.into(), call.address()).await?;
    let body = TakenSeat {
        session_id: seated.session,
        player_id: seated.player,
        player_token: seated.token.expose_secret(),
    };
    Ok(json(StatusCode::OK, &body))
}

/// Whether a token opens a seat of an open session, by the codes of the
/// handshake.
#[utoipa::path(post, path = "/api/v1/sessions/validate",
    operation_id = "validateToken", tag = "seats",
    request_body = TokenCheck,
    responses(
        (status = 200, description = "It does", body = ValidToken),
        (status = 400, description = "BAD_REQUEST"),
        (status = 401, description = "INVALID_PLAYER_TOKEN"),
        (status = 403, description = "PLAYER_REMOVED, ORIGIN_NOT_ALLOWED"),
        (status = 404, description = "SESSION_NOT_FOUND"),
        (status = 410, description = "SESSION_EXPIRED, SESSION_ENDED"),
        (status = 413, description = "PAYLOAD_TOO_LARGE"),
        (status = 415, description = "UNSUPPORTED_MEDIA_TYPE"),
        (status = 429, description = "RATE_LIMITED: too many codes that are none"),
        (status = 503, description = "STATE_UNAVAILABLE"),
    ))]
pub(super) async fn validate(api: Arc<Api>, call: Call) -> Answer {
    let check: TokenCheck = call.read()?;
    let session = check.session_id.0.ok_or(Refusal::SessionNotFound)?;
    let token = &check.player_token.0;
    api.reach(session, call.address(), api.table.authorise(token, session)).await?;
    let claims = api.table.identify(token)?;
    let look = move |seen: &Session, now: Millis| {
        let standing = claims.standing(session, seen)?;
        Ok::<_, Refusal>(ValidToken::new(seen, standing.seat, standing.until, now))
    };
    let valid = api.table.read(SessionRef::Id(claims.session), look).await??;
    Ok(json(StatusCode::OK, &valid))
}
