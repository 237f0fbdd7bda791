//! The deck a client asks for: a preset by its id, or cards of its own.

use std::fmt;

use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

#[cfg(feature = "server")]
use utoipa::openapi::{ArrayBuilder, OneOfBuilder, RefOr, Schema};

use crate::api::field::{BadField, Field, FieldSeed, Reading, Scalar, refuse_others};
use crate::api::field_types::{CardText, Opaque};
use crate::api::payload::payload;
#[cfg(feature = "server")]
use crate::api::schema;
use crate::poker::deck::{Deck, DeckError, Preset};

/// Readable; whether its cards make a deck is said when it is used
/// (`INVALID_DECK`).
#[derive(Clone, PartialEq, Eq)]
pub struct DeckChoice(Result<Deck, DeckError>);

impl DeckChoice {
    pub fn deck(self) -> Result<Deck, DeckError> {
        self.0
    }
}

payload! {
    /// `{name?, cards}`; what a server calls a deck can be sent back as it is.
    pub struct CustomDeck {
        id "id": Option<Opaque<1, 32>>,
        name "name": Option<Opaque<1, 50>>,
        cards "cards": Labels,
    }
}

/// Cards, each a label or an object with a `value`.
pub struct Labels(Vec<CardText>);

payload! {
    pub struct CardObject {
        value "value": CardText,
    }
}

impl Field for DeckChoice {
    const EXPECTED: &'static str =
        "the id of a preset deck, or an object with a name and a list of cards";

    #[cfg(feature = "server")]
    fn shape() -> RefOr<Schema> {
        let ids: Vec<&str> = Preset::ALL.iter().map(|preset| preset.id()).collect();
        let choice = OneOfBuilder::new().item(schema::one_of(&ids)).item(CustomDeck::shape());
        choice.into()
    }

    fn read(scalar: Scalar<'_>) -> Reading<Self> {
        match scalar {
            Scalar::Text(id) => match Preset::by_id(id) {
                Some(preset) => Ok(Self(Ok(Deck::preset(preset)))),
                None => {
                    let known: Vec<&str> = Preset::ALL.iter().map(|preset| preset.id()).collect();
                    Err(format!("must be one of {}", known.join(", ")).into())
                }
            },
            _ => Err(format!("must be {}", Self::EXPECTED).into()),
        }
    }

    fn take<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Result<Self, BadField>, D::Error> {
        deserializer.deserialize_any(DeckVisitor)
    }
}

struct DeckVisitor;

impl<'de> Visitor<'de> for DeckVisitor {
    type Value = Result<DeckChoice, BadField>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(DeckChoice::EXPECTED)
    }

    refuse_others! { DeckChoice::EXPECTED; unit bool number list }

    fn visit_str<E>(self, id: &str) -> Result<Self::Value, E> {
        let choice = DeckChoice::read(Scalar::Text(id));
        Ok(choice.map_err(|problem| BadField { field: "".into(), problem }))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let custom = CustomDeck::take(serde::de::value::MapAccessDeserializer::new(map))?;
        Ok(custom.map(|custom| {
            let preset = custom.id.as_ref().and_then(|id| Preset::by_id(&id.0));
            let name = custom.name.as_ref().map_or("Custom", |name| name.0.as_str());
            let labels = custom.cards.0.iter().map(|card| card.0.as_str());
            let deck = Deck::custom(name, labels);
            // A preset that came back unchanged is that preset again.
            let deck = match (deck, preset.map(Deck::preset)) {
                (Ok(deck), Some(preset)) if deck.cards() == preset.cards() => Ok(preset),
                (deck, _) => deck,
            };
            DeckChoice(deck)
        }))
    }
}

impl Field for Labels {
    const EXPECTED: &'static str = "a list of cards";

    #[cfg(feature = "server")]
    fn shape() -> RefOr<Schema> {
        let card = OneOfBuilder::new().item(CardText::shape()).item(CardObject::shape());
        ArrayBuilder::new().items(card).max_items(Some(Deck::CARDS_MAX)).into()
    }

    fn read(_: Scalar<'_>) -> Reading<Self> {
        Err(format!("must be {}", Self::EXPECTED).into())
    }

    fn take<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Result<Self, BadField>, D::Error> {
        deserializer.deserialize_any(LabelsVisitor)
    }
}

struct LabelsVisitor;

impl<'de> Visitor<'de> for LabelsVisitor {
    type Value = Result<Labels, BadField>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Labels::EXPECTED)
    }

    refuse_others! { Labels::EXPECTED; unit bool number text object }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        // One more than a deck may have, so that too many is noticed.
        const KEPT_MAX: usize = Deck::CARDS_MAX + 1;
        let mut labels = Vec::new();
        let mut bad = None;
        while let Some(label) = seq.next_element_seed(FieldSeed::<Label>::new())? {
            match label {
                Ok(Label(label)) if labels.len() < KEPT_MAX => labels.push(label),
                Ok(_) => {}
                Err(problem) => bad = bad.or(Some(problem)),
            }
        }
        Ok(bad.map_or(Ok(Labels(labels)), Err))
    }
}

struct Label(CardText);

impl Field for Label {
    const EXPECTED: &'static str = CardText::EXPECTED;

    fn read(scalar: Scalar<'_>) -> Reading<Self> {
        CardText::read(scalar).map(Self)
    }

    fn take<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Result<Self, BadField>, D::Error> {
        deserializer.deserialize_any(LabelVisitor)
    }
}

struct LabelVisitor;

impl<'de> Visitor<'de> for LabelVisitor {
    type Value = Result<Label, BadField>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Label::EXPECTED)
    }

    refuse_others! { Label::EXPECTED; unit bool list }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(scalar(Scalar::Text(text)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(scalar(i64::try_from(value).map_or(Scalar::Other, Scalar::Int)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(scalar(Scalar::Int(value)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(scalar(Scalar::Float(value)))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let card = CardObject::take(serde::de::value::MapAccessDeserializer::new(map))?;
        Ok(card.map(|card| Label(card.value)))
    }
}

fn scalar(scalar: Scalar<'_>) -> Result<Label, BadField> {
    Label::read(scalar).map_err(|problem| BadField { field: "".into(), problem })
}
