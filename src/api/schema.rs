//! How the wire's types are described to those who write clients, in JSON
//! Schema. Objects derive theirs, or have it from `payload!`; here are the
//! scalars, and the small types that the rules own.

use serde::Serialize;
use serde_json::Value;
use utoipa::openapi::schema::{AnyOfBuilder, KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::api::results::Decimal;
use crate::api::round::Revealed;
use crate::api::time::Iso;
use crate::poker::ids::{JoinCode, Millis, PlayerId, RoundId, SessionId, StoryId};
use crate::poker::tally::{Advice, Direction, Level, SpecialCounts};

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
    Decimal<2> => number();
    Decimal<3> => number();
    Decimal<4> => number();
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
    SpecialCounts => ["unknown", "break", "infinite"].into_iter().fold(
        ObjectBuilder::new().schema_type(Type::Object),
        |object, name| object.property(name, whole_number()).required(name),
    );
}

/// How the flattened, optional results of a round are described: all of their
/// fields, or none.
pub(super) struct MaybeRevealed;

impl PartialSchema for MaybeRevealed {
    fn schema() -> RefOr<Schema> {
        let results = Ref::from_schema_name(Revealed::name());
        let none = ObjectBuilder::new().schema_type(Type::Object);
        AnyOfBuilder::new().item(results).item(none).into()
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

pub(super) fn null() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Null)
}

/// One of these, as they are written on the wire.
pub(super) fn one_of(values: &[impl Serialize]) -> ObjectBuilder {
    let names = values.iter().map(|value| serde_json::to_value(value).unwrap_or(Value::Null));
    text().enum_values(Some(names))
}
