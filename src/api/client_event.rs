//! What clients may say: the catalogue, §5, as a table.
//!
//! A row gives the name on the wire, how many are accepted in 60 seconds, and
//! the fields with their types; ranges are part of the types. From it come
//! the enum, the parser and the list of names.

use std::fmt;

use serde::Deserializer as _;
use serde::de::{IgnoredAny, SeqAccess, Visitor};
#[cfg(feature = "server")]
use utoipa::openapi::{RefOr, Schema};

#[cfg(feature = "server")]
use crate::api::ack;
use crate::api::deck_choice::DeckChoice;
use crate::api::failure::Failure;
use crate::api::field::{BadField, Field, FieldSeed, Nullable, Reading, Scalar, expected};
use crate::api::field_types::{CardText, Confidential, ExtraSeconds, Opaque, TimerSeconds};
use crate::api::json;
use crate::api::payload::payload;
#[cfg(feature = "server")]
use crate::api::schema::{self, Described};
use crate::api::settings_edit::{NewPassword, SettingsEdit};
use crate::poker::ids::{PlayerId, RequestId, RoundId, SessionRef, StoryId};
use crate::poker::names::{
    Avatar, Description, Emoji, FinalEstimate, Link, PlayerName, SessionName, StoryKey, StoryTitle,
};
use crate::poker::story::StoryText;
use crate::poker::tally::Confidence;
use crate::poker::timer::OnExpire;

/// Most events are small; a list of stories may be larger.
pub const EVENT_BYTES_MAX: usize = 16 * 1_024;
pub const IMPORT_BYTES_MAX: usize = 60 * 1_024;
/// Nesting of arrays and objects in a payload.
pub const DEPTH_MAX: usize = 8;
/// Brackets, commas, colons and values of a payload: as many as an event can
/// hold, so that only larger ones meet it. The parser makes room for each, some
/// thirty bytes, before it knows whether they make sense.
pub const TOKENS_MAX: usize = EVENT_BYTES_MAX;

macro_rules! client_events {
    ($(
        $(#[doc = $doc:literal])*
        $variant:ident($payload:ty) $wire:literal $per_minute:literal => $answer:ty;
    )*) => {
        /// An event as the client meant it.
        pub enum ClientEvent {
            $($(#[doc = $doc])* $variant($payload),)*
        }

        /// The names of the events.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum EventName {
            $($variant,)*
        }

        impl EventName {
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            pub fn parse(name: &str) -> Option<Self> {
                match name {
                    $($wire => Some(Self::$variant),)*
                    _ => None,
                }
            }

            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $wire,)*
                }
            }

            /// How many are accepted in any 60 seconds unless configured.
            pub const fn accepted_per_minute(self) -> u16 {
                match self {
                    $(Self::$variant => $per_minute,)*
                }
            }

            /// How it is described to those who write clients.
            #[cfg(feature = "server")]
            pub fn description(self) -> ClientEventDescription {
                match self {
                    $(Self::$variant => ClientEventDescription {
                        about: schema::about(concat!($($doc, "\n",)*)),
                        payload: <$payload as Field>::shape(),
                        answer: Described::of::<$answer>(),
                    },)*
                }
            }

            fn read(
                self,
                arguments: &mut [u8],
            ) -> Result<(ClientEvent, Option<RequestId>), BadField> {
                match self {
                    $(Self::$variant => {
                        let mut payload: $payload = first_argument(arguments)?;
                        let request = payload.request_id.take();
                        Ok((ClientEvent::$variant(payload), request))
                    })*
                }
            }
        }
    };
}

client_events! {
    /// Opens a session, with the sender as its host.
    SessionCreate(Box<SessionCreate>) "session:create" 10 => ack::Joined<'static>;
    /// Takes a seat, or one's own again with `playerToken`. The same fields are accepted in the
    /// `auth` of the handshake.
    SessionJoin(Box<SessionJoin>) "session:join" 30 => ack::Joined<'static>;
    /// Takes this socket away; with the last one the seat leaves. Its vote stays.
    SessionLeave(SessionLeave) "session:leave" 30 => ack::Done;
    /// The whole session, as the sender may see it: after a gap in `seq`.
    SessionSync(SessionSync) "session:sync" 30 => ack::Synced<'static>;
    /// Host: changes settings. A deck change while there are votes needs `force`.
    SessionConfigure(Box<SettingsEdit>) "session:configure" 10 => ack::Done;
    /// Facilitators: lets nobody new in.
    SessionLock(SessionLock) "session:lock" 10 => ack::Done;
    /// Host: ends the session for good.
    SessionEnd(Nothing) "session:end" 3 => ack::Done;

    /// One's own name, avatar or spectating; at least one of them.
    PlayerUpdate(PlayerUpdate) "player:update" 5 => ack::Named<'static>;
    /// Facilitators: makes another one watch, or vote again.
    PlayerSetSpectator(PlayerSetSpectator) "player:set-spectator" 15 => ack::Done;
    /// Facilitators: takes a seat away; its token is worth nothing any more.
    PlayerRemove(PlayerRemove) "player:remove" 15 => ack::Done;
    /// Host: makes somebody a facilitator.
    PlayerPromote(PlayerTarget) "player:promote" 15 => ack::Done;
    /// Host: takes the facilitator's role back.
    PlayerDemote(PlayerTarget) "player:demote" 15 => ack::Done;
    /// Host: hands the session over.
    PlayerTransfer(PlayerTarget) "player:transfer" 5 => ack::Done;
    /// Facilitators: reminds one, or without `playerId` all who have not voted.
    PlayerNudge(PlayerNudge) "player:nudge" 5 => ack::Nudged<'static>;
    /// Says whether the sender is at the desk.
    PresenceSet(PresenceSet) "presence:set" 12 => ack::Done;
    /// One of twelve emoji, shown for a moment and stored nowhere.
    ReactionSend(ReactionSend) "reaction:send" 20 => ack::Done;

    /// A vote, or another one instead of it; hidden until the reveal.
    VoteSubmit(Vote) "vote:submit" 10 => ack::Voted<'static>;
    /// Another vote instead of one's own; after the reveal only where the settings allow it.
    VoteChange(Vote) "vote:change" 30 => ack::Voted<'static>;
    /// Takes one's own vote back, and cancels a countdown.
    VoteRetract(VoteRetract) "vote:retract" 30 => ack::Done;
    /// Permission `reveal`: turns the cards, with at least one vote.
    CardsReveal(Aim) "cards:reveal" 30 => ack::CardsTurned;
    /// Permission `reveal`: stops the countdown to the reveal.
    CountdownCancel(Nothing) "countdown:cancel" 10 => ack::Done;
    /// Permission `reset`: a new round. What was not revealed is never shown. Not idempotent: say
    /// which `roundId` you saw.
    GameReset(Reset) "game:reset" 30 => ack::NewRound;
    /// Permission `reset`: back to the round before, for 60 seconds and while nobody has voted.
    RoundRestore(RoundRestore) "round:restore" 5 => ack::CardsTurned;

    /// Permission `story`: edits a story, the current one unless said; touches no votes.
    StoryUpdate(StoryUpdate) "story:update" 5 => ack::AboutStory;
    /// Permission `story`: appends a story.
    StoryCreate(StoryCreate) "story:create" 30 => ack::AboutStory;
    /// Facilitators: many stories at once.
    StoryImport(StoryImport) "story:import" 3 => ack::Imported<'static>;
    /// Permission `story`: deletes a story; the current one cannot be.
    StoryDelete(StoryDelete) "story:delete" 30 => ack::Done;
    /// Permission `story`: moves a story before another one, or to the end.
    StoryReorder(StoryReorder) "story:reorder" 30 => ack::Done;
    /// Permission `story`: makes it the current story; the round left behind is parked with its
    /// votes.
    StoryActivate(StoryActivate) "story:activate" 15 => ack::NewRound;
    /// Permission `story`: sets its estimate, or takes it back.
    StoryFinalize(StoryFinalize) "story:finalize" 15 => ack::AboutStory;

    /// Permission `timer`: starts it, again if it runs.
    TimerStart(TimerStart) "timer:start" 30 => ack::Done;
    /// Permission `timer`.
    TimerStop(Nothing) "timer:stop" 30 => ack::Done;
    /// Permission `timer`: keeps what is left.
    TimerPause(Nothing) "timer:pause" 30 => ack::Done;
    /// Permission `timer`.
    TimerResume(Nothing) "timer:resume" 30 => ack::Done;
    /// Permission `timer`: adds seconds, or takes some away.
    TimerExtend(TimerExtend) "timer:extend" 30 => ack::Done;

    /// Finished rounds, page by page backwards.
    HistoryGet(HistoryGet) "history:get" 10 => ack::HistoryPage<'static>;
    /// Tells the offset of the clocks.
    Heartbeat(Heartbeat) "heartbeat" 30 => ack::HeartbeatResponse;
}

/// A client event, for those who write clients.
#[cfg(feature = "server")]
pub struct ClientEventDescription {
    pub about: Option<String>,
    pub payload: RefOr<Schema>,
    /// What a successful acknowledgement adds to `ok` and `seq`.
    pub answer: Described,
}

payload! {
    pub struct Nothing {
        request_id "requestId": Option<RequestId>,
    }

    pub struct SessionCreate {
        request_id "requestId": Option<RequestId>,
        name "name": SessionName,
        player_name "playerName": PlayerName,
        avatar "avatar": Option<Avatar>,
        deck "deck": Option<DeckChoice>,
        settings "settings": Option<SettingsEdit>,
        password "password": Option<NewPassword>,
    }

    /// Also the handshake's `auth`, in which `sessionId` may be missing.
    pub struct SessionJoin {
        request_id "requestId": Option<RequestId>,
        session_id "sessionId": Option<SessionText>,
        player_id "playerId": Option<PlayerId>,
        player_name "playerName": Option<PlayerName>,
        avatar "avatar": Option<Avatar>,
        player_token "playerToken": Option<TokenText>,
        is_spectator "isSpectator": Option<bool>,
        password "password": Option<Confidential<1, 128>>,
        protocol "protocol": Option<u32>,
    }

    pub struct SessionLeave {
        request_id "requestId": Option<RequestId>,
        session_id "sessionId": Option<SessionText>,
    }

    pub struct SessionSync {
        request_id "requestId": Option<RequestId>,
        last_seq "lastSeq": Option<u32>,
    }

    pub struct SessionLock {
        request_id "requestId": Option<RequestId>,
        locked "locked": bool,
    }

    pub struct PlayerUpdate {
        request_id "requestId": Option<RequestId>,
        name "name": Option<PlayerName>,
        avatar "avatar": Option<Avatar>,
        is_spectator "isSpectator": Option<bool>,
    }

    pub struct PlayerSetSpectator {
        request_id "requestId": Option<RequestId>,
        player_id "playerId": PlayerId,
        is_spectator "isSpectator": bool,
    }

    pub struct PlayerRemove {
        request_id "requestId": Option<RequestId>,
        player_id "playerId": PlayerId,
        ban "ban": Option<bool>,
    }

    pub struct PlayerTarget {
        request_id "requestId": Option<RequestId>,
        player_id "playerId": PlayerId,
    }

    pub struct PlayerNudge {
        request_id "requestId": Option<RequestId>,
        player_id "playerId": Option<PlayerId>,
    }

    pub struct PresenceSet {
        request_id "requestId": Option<RequestId>,
        away "away": bool,
    }

    pub struct ReactionSend {
        request_id "requestId": Option<RequestId>,
        emoji "emoji": Emoji,
    }

    pub struct Vote {
        request_id "requestId": Option<RequestId>,
        story_id "storyId": StoryId,
        value "value": CardText,
        confidence "confidence": Option<Confidence>,
        round_id "roundId": Option<RoundId>,
    }

    pub struct VoteRetract {
        request_id "requestId": Option<RequestId>,
        story_id "storyId": StoryId,
        round_id "roundId": Option<RoundId>,
    }

    pub struct Aim {
        request_id "requestId": Option<RequestId>,
        story_id "storyId": Option<StoryId>,
        round_id "roundId": Option<RoundId>,
    }

    pub struct Reset {
        request_id "requestId": Option<RequestId>,
        story_id "storyId": Option<StoryId>,
        round_id "roundId": Option<RoundId>,
        new_story "newStory": Option<NewStory>,
    }

    pub struct NewStory {
        title "title": StoryTitle,
        description "description": Option<Description>,
    }

    pub struct RoundRestore {
        request_id "requestId": Option<RequestId>,
        round_id "roundId": RoundId,
    }

    pub struct StoryUpdate {
        request_id "requestId": Option<RequestId>,
        story_id "storyId": Option<StoryId>,
        title "title": StoryTitle,
        description "description": Option<Description>,
        key "key": Option<StoryKey>,
        link "link": Option<Link>,
    }

    pub struct StoryCreate {
        request_id "requestId": Option<RequestId>,
        title "title": StoryTitle,
        description "description": Option<Description>,
        key "key": Option<StoryKey>,
        link "link": Option<Link>,
        after_id "afterId": Option<StoryId>,
        client_ref "clientRef": Option<Opaque<1, 64>>,
    }

    pub struct StoryImport {
        request_id "requestId": Option<RequestId>,
        format "format": ImportFormat,
        data "data": ImportText,
    }

    pub struct StoryDelete {
        request_id "requestId": Option<RequestId>,
        story_id "storyId": StoryId,
    }

    pub struct StoryReorder {
        request_id "requestId": Option<RequestId>,
        story_id "storyId": StoryId,
        before_id "beforeId": Option<StoryId>,
    }

    pub struct StoryActivate {
        request_id "requestId": Option<RequestId>,
        story_id "storyId": StoryId,
        round_id "roundId": Option<RoundId>,
    }

    pub struct StoryFinalize {
        request_id "requestId": Option<RequestId>,
        story_id "storyId": StoryId,
        value "value": Nullable<FinalEstimate>,
    }

    pub struct TimerStart {
        request_id "requestId": Option<RequestId>,
        duration "duration": Option<TimerSeconds>,
        on_expire "onExpire": Option<OnExpire>,
        story_id "storyId": Option<StoryId>,
    }

    pub struct TimerExtend {
        request_id "requestId": Option<RequestId>,
        seconds "seconds": ExtraSeconds,
    }

    pub struct HistoryGet {
        request_id "requestId": Option<RequestId>,
        story_id "storyId": Option<StoryId>,
        /// The round before which the page ends.
        cursor "cursor": Option<RoundId>,
    }

    pub struct Heartbeat {
        request_id "requestId": Option<RequestId>,
        timestamp "timestamp": i64,
    }
}

impl StoryUpdate {
    pub fn text(&self) -> StoryText {
        StoryText {
            title: Some(self.title.clone()),
            description: self.description.clone(),
            key: self.key.clone(),
            link: self.link.clone(),
        }
    }
}

impl StoryCreate {
    pub fn text(&self) -> StoryText {
        StoryText {
            title: Some(self.title.clone()),
            description: self.description.clone(),
            key: self.key.clone(),
            link: self.link.clone(),
        }
    }
}

impl NewStory {
    pub fn text(&self) -> StoryText {
        StoryText {
            title: Some(self.title.clone()),
            description: self.description.clone(),
            ..StoryText::default()
        }
    }
}

/// Reads the arguments of an event, a JSON array, in place. The payload is
/// the first argument; a missing one (or `null`) is an empty object, further
/// ones are ignored.
pub fn parse(
    name: EventName,
    arguments: &mut [u8],
) -> Result<(ClientEvent, Option<RequestId>), Failure> {
    let bytes_max = match name {
        EventName::StoryImport => IMPORT_BYTES_MAX,
        _ => EVENT_BYTES_MAX,
    };
    if bytes_max < arguments.len() {
        return Err(Failure::PayloadTooLarge { bytes_max });
    }
    let extent = extent(arguments);
    // One for the array of arguments itself.
    if DEPTH_MAX + 1 < extent.depth {
        return Err(too_deep().into());
    }
    if TOKENS_MAX < extent.tokens {
        return Err(too_wide().into());
    }
    Ok(name.read(arguments)?)
}

/// Reads the `auth` of a handshake, a JSON object, in place.
pub fn parse_auth(auth: &mut [u8]) -> Result<SessionJoin, Failure> {
    if EVENT_BYTES_MAX < auth.len() {
        return Err(Failure::PayloadTooLarge { bytes_max: EVENT_BYTES_MAX });
    }
    if DEPTH_MAX < depth(auth) {
        return Err(too_deep().into());
    }
    Ok(object(auth)?)
}

/// Reads one payload object in place, as REST bodies are.
pub fn object<T: Field>(json: &mut [u8]) -> Result<T, BadField> {
    if TOKENS_MAX < extent(json).tokens {
        return Err(too_wide());
    }
    json::read(json, |deserializer| T::take(deserializer)).unwrap_or_else(|_| Err(no_object()))
}

/// How deep arrays and objects nest; strings are skipped.
pub fn depth(json: &[u8]) -> usize {
    extent(json).depth
}

struct Extent {
    depth: usize,
    tokens: usize,
}

/// Of any bytes: what is no JSON has no more tokens for the parser than here.
/// To it a backslash escapes a quote wherever it stands.
fn extent(json: &[u8]) -> Extent {
    let (mut depth, mut deepest, mut tokens) = (0_usize, 0, 0);
    let mut is_in_atom = false;
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        let mut is_atom = false;
        match byte {
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
                tokens += 1;
            }
            b']' | b'}' => {
                depth = depth.saturating_sub(1);
                tokens += 1;
            }
            b',' | b':' => tokens += 1,
            b'"' => {
                tokens += 1;
                skip_string(&mut bytes);
            }
            b' ' | b'\t' | b'\n' | b'\r' => {}
            _ => {
                is_atom = true;
                tokens += usize::from(!is_in_atom);
                if *byte == b'\\' && matches!(bytes.as_slice().first(), Some(b'"' | b'\\')) {
                    bytes.next();
                }
            }
        }
        is_in_atom = is_atom;
    }
    Extent { depth: deepest, tokens }
}

fn skip_string(bytes: &mut std::slice::Iter<'_, u8>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => {
                bytes.next();
            }
            b'"' => return,
            _ => {}
        }
    }
}

fn first_argument<T: Field>(arguments: &mut [u8]) -> Result<T, BadField> {
    struct Arguments<T>(std::marker::PhantomData<T>);

    impl<'de, T: Field> Visitor<'de> for Arguments<T> {
        type Value = Result<T, BadField>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the arguments of an event")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            // `emit(name, undefined)` arrives as `null`.
            let payload = match seq.next_element_seed(FieldSeed::<Option<T>>::new())? {
                Some(Ok(Some(payload))) => Ok(payload),
                Some(Err(bad)) => Err(bad),
                Some(Ok(None)) | None => object(&mut b"{}".to_owned()),
            };
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            Ok(payload)
        }
    }

    let read = json::read(arguments, |deserializer| {
        deserializer.deserialize_seq(Arguments::<T>(std::marker::PhantomData))
    });
    read.unwrap_or_else(|_| Err(no_object()))
}

const fn no_object() -> BadField {
    BadField {
        field: std::borrow::Cow::Borrowed(""),
        problem: std::borrow::Cow::Borrowed("must be an object"),
    }
}

fn too_deep() -> BadField {
    BadField { field: "".into(), problem: "nests deeper than 8 levels".into() }
}

fn too_wide() -> BadField {
    BadField { field: "".into(), problem: "holds more than 16384 values and marks".into() }
}

/// A session by its id or its join code. `None`: nothing that could be ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionText(pub Option<SessionRef>);

impl Field for SessionText {
    const EXPECTED: &'static str = "1 to 64 of A-Z a-z 0-9 _ -";

    #[cfg(feature = "server")]
    fn shape() -> RefOr<Schema> {
        schema::text().pattern(Some("^[A-Za-z0-9_-]{1,64}$")).into()
    }

    fn read(scalar: Scalar<'_>) -> Reading<Self> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        match scalar {
            Scalar::Text(id) if (1..=64).contains(&id.len()) && id.chars().all(allowed) => {
                Ok(Self(id.parse().ok()))
            }
            _ => Err(expected::<Self>()),
        }
    }
}

/// A player token, unverified; of any length, so that a broken one is
/// answered with `INVALID_PLAYER_TOKEN` and not with a lesson in grammar.
pub type TokenText = Confidential<0, 16_384>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportFormat {
    Csv,
    Json,
    Lines,
}

impl Field for ImportFormat {
    const EXPECTED: &'static str = "\"csv\", \"json\" or \"lines\"";

    #[cfg(feature = "server")]
    fn shape() -> RefOr<Schema> {
        schema::one_of(&["csv", "json", "lines"]).into()
    }

    fn read(scalar: Scalar<'_>) -> Reading<Self> {
        match scalar {
            Scalar::Text("csv") => Ok(Self::Csv),
            Scalar::Text("json") => Ok(Self::Json),
            Scalar::Text("lines") => Ok(Self::Lines),
            _ => Err(expected::<Self>()),
        }
    }
}

/// The rows to import; its size is bounded with the event's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportText(pub String);

impl Field for ImportText {
    const EXPECTED: &'static str = "text";

    #[cfg(feature = "server")]
    fn shape() -> RefOr<Schema> {
        schema::text().into()
    }

    fn read(scalar: Scalar<'_>) -> Reading<Self> {
        match scalar {
            Scalar::Text(text) => Ok(Self(text.to_owned())),
            _ => Err(expected::<Self>()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: EventName, arguments: &str) -> Result<ClientEvent, Failure> {
        parse(name, &mut arguments.as_bytes().to_vec()).map(|(event, _)| event)
    }

    fn refused(name: EventName, arguments: &str) -> String {
        match read(name, arguments) {
            Err(failure) => failure.message().into_owned(),
            Ok(_) => panic!("{arguments} was accepted"),
        }
    }

    #[test]
    fn every_name_is_read_back() {
        for name in EventName::ALL {
            assert_eq!(EventName::parse(name.as_str()), Some(*name));
        }
        assert_eq!(EventName::parse("vote:steal"), None);
    }

    #[test]
    fn a_missing_payload_is_an_empty_one() {
        // `emit(name, undefined)` arrives as `null`.
        for arguments in ["[]", "[{}]", "[null]", "[{},7]"] {
            assert!(matches!(
                read(EventName::CardsReveal, arguments),
                Ok(ClientEvent::CardsReveal(Aim { story_id: None, round_id: None, .. }))
            ));
        }
        assert_eq!(refused(EventName::CardsReveal, "[[]]"), "The payload must be an object");
        assert_eq!(refused(EventName::VoteSubmit, "[]"), "storyId is missing");
    }

    #[test]
    fn a_card_may_be_a_number() {
        for (json, card) in [("5", "5"), ("0.5", "0.5"), ("\"☕\"", "☕")] {
            let arguments = format!(r#"[{{"storyId":"s1","value":{json}}}]"#);
            let Ok(ClientEvent::VoteSubmit(vote)) = read(EventName::VoteSubmit, &arguments) else {
                panic!("{json} is a card");
            };
            assert_eq!(vote.value.0, card);
        }
    }

    #[test]
    fn the_path_of_a_wrong_field_is_named() {
        let arguments =
            r#"[{"name":"S","playerName":"P","settings":{"permissions":{"reveal":1}}}]"#;
        assert_eq!(
            refused(EventName::SessionCreate, arguments),
            "settings.permissions.reveal must be \"everyone\" or \"facilitators\""
        );
    }

    #[test]
    fn depth_is_counted_outside_strings() {
        assert_eq!(depth(br#"[{"a":"[[[\"[["}]"#), 2);
        let deep = format!("[{}{}]", "[".repeat(9), "]".repeat(9));
        assert_eq!(refused(EventName::Heartbeat, &deep), "The payload nests deeper than 8 levels");
    }

    #[test]
    fn tokens_are_counted_outside_strings() {
        let data = "One,Two\\n".repeat(5_000);
        let import = |more: &str| format!(r#"[{{"format":"csv","data":"{data}"{more}}}]"#);
        let taken = parse(EventName::StoryImport, &mut import("").into_bytes());
        assert!(taken.is_ok());
        let many = format!(r#","x":[0{}]"#, ",0".repeat(TOKENS_MAX / 2));
        let wide = format!(r#"[{{"format":"csv","data":""{many}}}]"#);
        assert_eq!(
            refused(EventName::StoryImport, &wide),
            "The payload holds more than 16384 values and marks"
        );
        let body = format!(r#"{{"name":"x"{many}}}"#);
        assert!(object::<Nothing>(&mut body.into_bytes()).is_err());
    }

    /// Found by `fuzz/targets/rest_body.rs`: the parser took 1.3 MB for bodies
    /// that have few values if a quote is missing, or if it is escaped.
    #[test]
    fn tokens_are_counted_in_what_is_no_json() {
        assert_eq!(extent(br#"{"a": [1,true, "x"]}"#).tokens, 11);
        let all_strings = r#"["a,"#.to_owned() + &r#""1","#.repeat(16_000);
        let after_quote = r#"[\""#.to_owned() + &"1,".repeat(16_000);
        let after_three = r#"[\\\""#.to_owned() + &"1,".repeat(16_000);
        for body in [all_strings, after_quote, after_three] {
            assert!(TOKENS_MAX < extent(body.as_bytes()).tokens, "{:.20}…", body);
        }
    }
}
