//! What a session came to, to take away.
//!
//! Only what was revealed is in it: an export reads the results of rounds and
//! never their votes, so before the reveal it says what everybody sees.
//!
//! A download carries its member's token in the `Authorization` header like
//! every other call. A page fetches the `exportUrl` of `session:ended` with it
//! and saves the answer (`URL.createObjectURL`); the link alone opens nothing,
//! wherever it ends up: a history, a log, a `Referer`, a chat.

mod csv;
mod markdown;
mod sheet;

use std::sync::Arc;

use http::header::CONTENT_DISPOSITION;
use http::{HeaderValue, StatusCode};

use crate::api::field::BadField;
use crate::http::bearer;
use crate::http::call::{Answer, Api, Call, text};
use crate::poker::ids::{Millis, SessionRef};
use crate::poker::session::Session;

use sheet::{Sheet, Views};

/// The session's stories and revealed rounds, for its members; also when it
/// has just ended.
///
/// CSV has a row per story with the figures of its latest revealed round.
/// Cells that a spreadsheet would take for a formula begin with `'`.
#[utoipa::path(get, path = "/api/v1/sessions/{session}/export",
    operation_id = "exportSession", tag = "sessions",
    params(
        ("session" = String, Path, description = "Session id or join code"),
        ("format" = Option<String>, Query, description = "`json` (the default), `csv` or `md`"),
    ),
    security(("playerToken" = [])),
    responses(
        (status = 200, description = "The file", content(
            (Sheet<'static> = "application/json"),
            (String = "text/csv"),
            (String = "text/markdown"),
        )),
        (status = 400, description = "BAD_REQUEST: of `format`"),
        (status = 401, description = "INVALID_PLAYER_TOKEN"),
        (status = 403, description = "PLAYER_REMOVED"),
        (status = 410, description = "SESSION_EXPIRED, SESSION_ENDED"),
        (status = 503, description = "STATE_UNAVAILABLE"),
    ))]
pub(super) async fn download(api: Arc<Api>, call: Call) -> Answer {
    let format = match call.query_value("format").as_deref() {
        None | Some("json") => Format::Json,
        Some("csv") => Format::Csv,
        Some("md") => Format::Markdown,
        Some(_) => return Err(BadField::must_be("format", "json, csv or md").into()),
    };
    let member = bearer::member(&api, &call).await?;
    let write = move |session: &Session, now: Millis| {
        let views = Views::new(session);
        let sheet = Sheet::new(session, &views, now);
        (format.write(&sheet), format!("cardroom-{}.{}", session.code, format.extension()))
    };
    let (file, name) = api.table.read(SessionRef::Id(member.session), write).await?;
    let mut response = text(StatusCode::OK, format.content_type(), file);
    if let Ok(value) = HeaderValue::try_from(format!("attachment; filename=\"{name}\"")) {
        response.headers_mut().insert(CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

#[derive(Clone, Copy)]
enum Format {
    Json,
    Csv,
    Markdown,
}

impl Format {
    const fn extension(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Markdown => "md",
        }
    }

    const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Markdown => "text/markdown; charset=utf-8",
        }
    }

    fn write(self, sheet: &Sheet<'_>) -> Vec<u8> {
        match self {
            // Only a map with keys that are no strings could fail, and there is none.
            Self::Json => serde_json::to_vec_pretty(sheet).unwrap_or_default(),
            Self::Csv => csv::write(sheet),
            Self::Markdown => markdown::write(sheet).into_bytes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::poker::ids::{JoinCode, PlayerId, SessionId};
    use crate::poker::names::Avatar;
    use crate::poker::policy::Policy;
    use crate::poker::results::results;
    use crate::poker::round::{Phase, RevealReason, Vote};
    use crate::poker::session::Opening;
    use crate::poker::settings::Settings;
    use crate::poker::story::StoryText;

    const NOW: Millis = Millis(1_700_000_000_000);

    fn opened() -> Session {
        let opening = Opening {
            id: SessionId::from_random([1; 10]),
            code: JoinCode::from_random([2; 5]),
            policy: Policy::default(),
            settings: Settings::new("Sprint 12".parse().expect("a name"), Default::default()),
            password: None,
            host: PlayerId::from_random([1; 16]),
            host_name: "Ann".parse().expect("a name"),
            host_avatar: Avatar::default(),
        };
        Session::open(&opening, NOW)
    }

    /// A session with one story.
    pub(super) fn session(title: &str, description: Option<&str>) -> Session {
        let mut session = opened();
        session.stories[0].text = StoryText {
            title: Some(title.parse().expect("a title")),
            description: description.map(|text| text.parse().expect("a description")),
            ..StoryText::default()
        };
        session
    }

    /// A session in which Ann and Bob have played these cards.
    pub(super) fn played(cards: &[&str; 2], is_revealed: bool) -> Session {
        let mut session = opened();
        let bob = PlayerId::from_random([2; 16]);
        let mut seat = session.seats[&session.host].clone();
        seat.id = bob;
        seat.name = "Bob".parse().expect("a name");
        seat.joined_at = NOW.add_ms(1);
        session.seats.insert(seat);
        for (player, card) in [session.host, bob].into_iter().zip(cards) {
            let vote = Vote::new(card.parse().expect("a card"), None, NOW);
            session.round.votes.insert(player, vote);
        }
        if is_revealed {
            let results = results(&session, None, RevealReason::Manual, NOW);
            session.round.phase = Phase::Revealed(Box::new(results));
        }
        session
    }

    #[test]
    fn an_export_does_not_depend_on_hidden_votes() {
        for format in [Format::Json, Format::Csv, Format::Markdown] {
            let file = |cards| {
                let session = played(cards, false);
                let views = Views::new(&session);
                format.write(&Sheet::new(&session, &views, NOW))
            };
            assert_eq!(file(&["5", "8"]), file(&["100000", "?"]), "{}", format.extension());
        }
    }

    #[test]
    fn json_has_every_revealed_round() {
        let session = played(&["5", "8"], true);
        let views = Views::new(&session);
        let file = Format::Json.write(&Sheet::new(&session, &views, NOW));
        let json: serde_json::Value = serde_json::from_slice(&file).expect("JSON");
        let round = &json["stories"][0]["revealedRounds"][0];
        assert_eq!(round["votes"][1]["playerName"], "Bob");
        assert_eq!(round["consensus"]["averageValue"], 6.5);
        assert_eq!(json["stories"][0]["status"], "revealed");
    }
}
