//! A deck: 2 to 30 cards in the order they are shown, the presets, and why a
//! custom one was refused.

use std::collections::BTreeMap;
use std::fmt;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use crate::poker::card::Card;
use crate::poker::names::DeckName;
use crate::poker::text::TextError;
use crate::poker::word::words;

/// The cards of a session. Immutable: a session changes its deck, never a
/// card of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Deck {
    id: CompactString,
    name: DeckName,
    kind: DeckKind,
    cards: Vec<Card>,
    /// Per card: its place among the estimate cards, `None` when special.
    ranks: Vec<Option<u8>>,
}

/// Whether averages make sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeckKind {
    /// Every estimate card is a number; ranked by value.
    Numeric,
    /// Sizes, durations, anything; ranked by their order in the deck.
    Ordinal,
}

words! { DeckKind {
    Numeric "numeric",
    Ordinal "ordinal",
} }

/// Which of the well-known decks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Preset {
    #[default]
    Fibonacci,
    ModifiedFibonacci,
    PowersOfTwo,
    TShirt,
    Time,
}

impl Preset {
    pub const ALL: [Self; 5] =
        [Self::Fibonacci, Self::ModifiedFibonacci, Self::PowersOfTwo, Self::TShirt, Self::Time];

    /// The deck's `id`, which is also how a client asks for it.
    pub fn id(self) -> &'static str {
        match self {
            Self::Fibonacci => "fibonacci",
            Self::ModifiedFibonacci => "modified-fibonacci",
            Self::PowersOfTwo => "powers-of-two",
            Self::TShirt => "t-shirt",
            Self::Time => "time",
        }
    }

    pub fn by_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.id() == id)
    }

    fn name_and_labels(self) -> (&'static str, &'static str) {
        match self {
            Self::Fibonacci => ("Fibonacci", "0 1 2 3 5 8 13 21 34 55 89 ? ☕ ∞"),
            Self::ModifiedFibonacci => {
                ("Modified Fibonacci", "0 0.5 1 2 3 5 8 13 20 40 100 ? ☕ ∞")
            }
            Self::PowersOfTwo => ("Powers of two", "0 1 2 4 8 16 32 64 ? ☕"),
            Self::TShirt => ("T-shirt sizes", "XS S M L XL XXL ? ☕"),
            Self::Time => ("Time", "1h ½d 1d 2d 1w 2w ?"),
        }
    }
}

/// Why a custom deck was refused. Positions count from 1, as people do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeckError {
    #[error("the name of the deck {0}")]
    Name(TextError),
    #[error("card {position} {error}")]
    Label { position: usize, error: TextError },
    #[error("a deck has at least {} cards, not {count}", Deck::CARDS_MIN)]
    TooFewCards { count: usize },
    #[error("a deck has at most {} cards", Deck::CARDS_MAX)]
    TooManyCards,
    #[error("a deck has at least {} cards besides ?, ☕ and ∞, not {count}", Deck::ESTIMATES_MIN)]
    TooFewEstimates { count: usize },
    #[error("card {second} ({label}) has the label of card {first}")]
    DuplicateLabel { label: String, first: usize, second: usize },
    #[error("card {second} ({label}) has the value of card {first}")]
    DuplicateValue { label: String, first: usize, second: usize },
}

impl Deck {
    pub const CARDS_MIN: usize = 2;
    pub const CARDS_MAX: usize = 30;
    pub const ESTIMATES_MIN: usize = 2;
    /// The `id` of every deck that is no preset.
    pub const CUSTOM: &str = "custom";

    pub fn preset(preset: Preset) -> Self {
        let (name, labels) = preset.name_and_labels();
        Self::parse(preset.id(), name, labels.split(' ')).expect("the presets keep the rules")
    }

    pub fn custom<'a>(
        name: &str,
        labels: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, DeckError> {
        Self::parse(Self::CUSTOM, name, labels)
    }

    /// A deck as the store kept it; checked like a new one.
    pub fn restored(id: &str, name: DeckName, cards: Vec<Card>) -> Result<Self, DeckError> {
        Self::of_cards(id, name, cards)
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    pub fn kind(&self) -> DeckKind {
        self.kind
    }

    /// In the order they are shown.
    pub fn cards(&self) -> &[Card] {
        &self.cards
    }

    /// The deck's own card for a played label, in any of its spellings
    /// (`☕️`, `coffee`).
    pub fn find(&self, label: &str) -> Option<&Card> {
        let card: Card = label.parse().ok()?;
        self.cards.get(self.index_of(&card)?)
    }

    /// Where the card stands in [`Self::cards`].
    pub fn index_of(&self, card: &Card) -> Option<usize> {
        self.cards.iter().position(|c| c == card)
    }

    /// The place of the card at `index` among the estimate cards, from the
    /// smallest; `None` for a special card or no card at all.
    pub fn rank_at(&self, index: usize) -> Option<u8> {
        self.ranks.get(index).copied().flatten()
    }

    fn parse<'a>(
        id: &str,
        name: &str,
        labels: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, DeckError> {
        let name = name.parse().map_err(DeckError::Name)?;
        let mut cards = Vec::new();
        for (index, label) in labels.into_iter().enumerate() {
            if index < Self::CARDS_MAX {
                let card = label.parse();
                cards.push(card.map_err(|error| DeckError::Label { position: index + 1, error })?);
            } else {
                return Err(DeckError::TooManyCards);
            }
        }
        Self::of_cards(id, name, cards)
    }

    fn of_cards(id: &str, name: DeckName, cards: Vec<Card>) -> Result<Self, DeckError> {
        let count = cards.len();
        if count < Self::CARDS_MIN {
            return Err(DeckError::TooFewCards { count });
        }
        if Self::CARDS_MAX < count {
            return Err(DeckError::TooManyCards);
        }
        if let Some((first, second)) = duplicate(cards.iter().map(Some)) {
            let label = cards[second].to_string();
            return Err(DeckError::DuplicateLabel { label, first: first + 1, second: second + 1 });
        }

        let estimates = || cards.iter().enumerate().filter(|(_, card)| card.special().is_none());
        let count = estimates().count();
        if count < Self::ESTIMATES_MIN {
            return Err(DeckError::TooFewEstimates { count });
        }
        let mut by_rank: Vec<usize> = estimates().map(|(index, _)| index).collect();
        let kind = match estimates().all(|(_, card)| card.thousandths().is_some()) {
            true => DeckKind::Numeric,
            false => DeckKind::Ordinal,
        };
        if kind == DeckKind::Numeric {
            if let Some((first, second)) = duplicate(cards.iter().map(Card::thousandths)) {
                let label = cards[second].to_string();
                let (first, second) = (first + 1, second + 1);
                return Err(DeckError::DuplicateValue { label, first, second });
            }
            by_rank.sort_by_key(|&index| cards[index].thousandths());
        }

        let mut ranks = vec![None; cards.len()];
        for (rank, index) in by_rank.into_iter().enumerate() {
            ranks[index] = Some(rank as u8);
        }
        Ok(Self { id: id.into(), name, kind, cards, ranks })
    }
}

impl Default for Deck {
    fn default() -> Self {
        Self::preset(Preset::default())
    }
}

impl fmt::Debug for Deck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Deck({}, {} cards)", self.id, self.cards.len())
    }
}

/// A deck as it is stored; reading one checks it like a new one.
#[derive(Serialize, Deserialize)]
struct Written {
    id: CompactString,
    name: DeckName,
    cards: Vec<Card>,
}

impl From<Deck> for Written {
    fn from(deck: Deck) -> Self {
        Self { id: deck.id, name: deck.name, cards: deck.cards }
    }
}

impl TryFrom<Written> for Deck {
    type Error = DeckError;

    fn try_from(written: Written) -> Result<Self, DeckError> {
        Self::of_cards(&written.id, written.name, written.cards)
    }
}

/// The first two places that hold the same thing.
fn duplicate<T: Ord>(items: impl Iterator<Item = Option<T>>) -> Option<(usize, usize)> {
    let mut seen = BTreeMap::new();
    for (index, item) in items.enumerate() {
        if let Some(first) = item.and_then(|item| seen.insert(item, index)) {
            return Some((first, index));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn custom(labels: &str) -> Result<Deck, DeckError> {
        Deck::custom("Ours", labels.split(' '))
    }

    #[test]
    fn presets_are_found_by_id() {
        for preset in Preset::ALL {
            assert_eq!(Preset::by_id(Deck::preset(preset).id()), Some(preset));
        }
        assert_eq!(Deck::default().cards().len(), 14);
        assert_eq!(Deck::preset(Preset::Time).kind(), DeckKind::Ordinal);
        assert_eq!(Deck::preset(Preset::ModifiedFibonacci).kind(), DeckKind::Numeric);
    }

    #[test]
    fn numbers_rank_by_value_and_words_by_position() {
        let deck = custom("8 ? 1 ½").expect("a deck");
        let ranks: Vec<_> = (0..5).map(|index| deck.rank_at(index)).collect();
        assert_eq!(ranks, [Some(2), None, Some(1), Some(0), None]);
        let deck = custom("L ? S 1").expect("a deck");
        let ranks: Vec<_> = (0..4).map(|index| deck.rank_at(index)).collect();
        assert_eq!(ranks, [Some(0), None, Some(1), Some(2)]);
    }

    #[test]
    fn finds_a_card_in_any_spelling() {
        let deck = Deck::default();
        assert_eq!(deck.find("coffee").map(Card::as_str), Some("☕"));
        assert_eq!(deck.find(" ☕\u{FE0F}").map(Card::as_str), Some("☕"));
        assert_eq!(deck.find("4"), None);
        assert_eq!(deck.find(""), None);
    }

    #[test]
    fn every_refusal_says_what_was_wrong() {
        let error = |labels: &str| custom(labels).expect_err("refused").to_string();
        assert_eq!(error("1"), "a deck has at least 2 cards, not 1");
        assert_eq!(error(&["1"; 31].join(" ")), "a deck has at most 30 cards");
        assert_eq!(error("1 ? ☕"), "a deck has at least 2 cards besides ?, ☕ and ∞, not 1");
        assert_eq!(error("1 ☕ coffee 2"), "card 3 (☕) has the label of card 2");
        assert_eq!(error("1 ½ 2 0.50"), "card 4 (0.50) has the value of card 2");
        assert_eq!(error("1  2"), "card 2 must not be empty");
        assert_eq!(error("1 12345678901"), "card 2 must not be longer than 10 characters");
        let error = Deck::custom(" ", ["1", "2"]).expect_err("refused").to_string();
        assert_eq!(error, "the name of the deck must not be empty");
        // In an ordinal deck a value is only a label.
        assert!(custom("½ 0.5 L").is_ok());
        assert!(custom(&(0..30).map(|n| n.to_string()).collect::<Vec<_>>().join(" ")).is_ok());
    }

    #[test]
    fn survives_being_stored() {
        let deck = custom("8 ? 1 ½").expect("a deck");
        let json = serde_json::to_string(&deck).expect("json");
        assert_eq!(json, r#"{"id":"custom","name":"Ours","cards":["8","?","1","½"]}"#);
        assert_eq!(serde_json::from_str::<Deck>(&json).expect("a deck"), deck);
        assert!(serde_json::from_str::<Deck>(r#"{"id":"x","name":"y","cards":["1"]}"#).is_err());
    }
}
