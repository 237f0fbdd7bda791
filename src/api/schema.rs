//! How the wire's types are described to those who write clients, in JSON
//! Schema. Objects derive theirs, or have it from `payload!`; here are the
//! scalars, and the small types that the rules own.

use serde::Serialize;
use serde_json::Value;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::api::ack::Always;
use crate::api::failure::Failure;
use crate::api::results::Decimal;
use crate::api::round::{PhaseName, Revealed};
use crate::api::server_event::{LeftReason, PromotedReason};
use crate::api::snapshot::SessionStatus;
use crate::api::time::Iso;
use crate::api::timer::TimerStatus;
use crate::poker::card::Special;
use crate::poker::deck::DeckKind;
use crate::poker::event::EndReason;
use crate::poker::ids::{JoinCode, Millis, PlayerId, RoundId, SessionId, StoryId};
use crate::poker::names::Emoji;
use crate::poker::refusal::Required;
use crate::poker::round::RevealReason;
use crate::poker::seat::Role;
use crate::poker::settings::Holders;
use crate::poker::tally::{Advice, Confidence, Direction, Level, SpecialCounts};
use crate::poker::timer::OnExpire;
use crate::poker::view::StoryStatus;

macro_rules! schemas {
    ($($type:ty => $schema:expr;)*) => {$(
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                $schema.into()
            }
        }

        impl ToSchema for $type {}
    )*};
}

schemas! {
    SessionId => text().pattern(Some("^[0-9A-HJKMNP-TV-Z]{16}$"));
    JoinCode => text().pattern(Some("^[0-9A-HJKMNP-TV-Z]{8}$"));
    PlayerId => text().format(Some(SchemaFormat::Custom("uuid".into())));
    StoryId => text().pattern(Some("^s[1-9][0-9]*$"));
    RoundId => whole_number();
    Millis => whole_number().description(Some("Milliseconds since 1970-01-01 UTC"));
    Iso => text().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
    Confidence => whole_number().minimum(Some(1)).maximum(Some(5));
    Decimal<2> => number();
    Decimal<3> => number();
    Decimal<4> => number();
    Always<true> => always(true);
    Always<false> => always(false);
    Level => one_of(&[
        Level::None,
        Level::Single,
        Level::Split,
        Level::Near,
        Level::Consensus,
        Level::Unanimous,
    ]);
    Advice => one_of(&[
        Advice::NoVotes,
        Advice::TakeBreak,
        Advice::SplitStory,
        Advice::NeedInfo,
        Advice::Accept,
        Advice::HearOutliers,
        Advice::Confirm,
        Advice::Discuss,
    ]);
    Direction => one_of(&[Direction::Low, Direction::High]);
    DeckKind => one_of(DeckKind::ALL);
    Emoji => one_of(&Emoji::ALL);
    EndReason => one_of(EndReason::ALL);
    Holders => one_of(Holders::ALL);
    LeftReason => one_of(LeftReason::ALL);
    OnExpire => one_of(OnExpire::ALL);
    PhaseName => one_of(PhaseName::ALL);
    PromotedReason => one_of(PromotedReason::ALL);
    Required => one_of(Required::ALL);
    RevealReason => one_of(RevealReason::ALL);
    Role => one_of(Role::ALL);
    SessionStatus => one_of(SessionStatus::ALL);
    Special => one_of(Special::ALL);
    StoryStatus => one_of(StoryStatus::ALL);
    TimerStatus => one_of(TimerStatus::ALL);
    SpecialCounts => ["unknown", "break", "infinite"].into_iter().fold(
        ObjectBuilder::new().schema_type(Type::Object),
        |object, name| object.property(name, whole_number()).required(name),
    );
}

/// Every code of [`Failure`]; a `&'static str` in Rust.
pub(super) struct ErrorCode;

impl PartialSchema for ErrorCode {
    fn schema() -> RefOr<Schema> {
        one_of(&Vec::from_iter(Failure::codes())).into()
    }
}

impl ToSchema for ErrorCode {}

/// A named schema, and those that it refers to.
pub struct Described {
    pub name: String,
    pub schemas: Vec<(String, RefOr<Schema>)>,
}

impl Described {
    pub(super) fn of<T: ToSchema>() -> Self {
        let name = T::name().into_owned();
        let mut schemas = vec![(name.clone(), T::schema())];
        T::schemas(&mut schemas);
        Self { name, schemas }
    }
}

/// How the flattened, optional results of a round are described: all of their
/// fields, or none.
pub(super) struct MaybeRevealed;

impl PartialSchema for MaybeRevealed {
    fn schema() -> RefOr<Schema> {
        let RefOr::T(Schema::Object(mut results)) = Revealed::schema() else {
            return Ref::from_schema_name(Revealed::name()).into();
        };
        results.required.clear();
        results.into()
    }
}

impl ToSchema for MaybeRevealed {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Revealed::name().into(), Revealed::schema()));
        Revealed::schemas(schemas);
    }
}

pub(super) fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

pub(super) fn whole_number() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0))
}

pub(super) fn number() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Number)
}

fn always(flag: bool) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Boolean).enum_values(Some([flag]))
}

/// A doc comment as a description; its lines flow.
pub(super) fn about(doc: &str) -> Option<String> {
    let lines: Vec<&str> = doc.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    (!lines.is_empty()).then(|| lines.join(" "))
}

/// `shape`, with a doc comment as its description.
pub(super) fn told(shape: RefOr<Schema>, doc: &str) -> RefOr<Schema> {
    let description = about(doc);
    match shape {
        RefOr::T(Schema::Object(mut object)) if description.is_some() => {
            object.description = description;
            object.into()
        }
        RefOr::T(Schema::OneOf(mut choice)) if description.is_some() => {
            choice.description = description;
            Schema::OneOf(choice).into()
        }
        shape => shape,
    }
}

pub(super) fn null() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Null)
}

/// One of these, as they are written on the wire.
pub(super) fn one_of(values: &[impl Serialize]) -> ObjectBuilder {
    let names = values.iter().map(|value| serde_json::to_value(value).unwrap_or(Value::Null));
    text().enum_values(Some(names))
}
