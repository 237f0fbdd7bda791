//! The statistics of a round (catalogue §6): computed once, at the reveal and
//! at any later change, and stored with the round. Whoever shows them reads
//! the stored result.
//!
//! Integers only, so that every instance gets the same figures: ratios in
//! ten-thousandths (`_e4`), values in hundredths (`_e2`), both rounded half
//! up from the exact fraction.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::poker::card::{Card, Special};
use crate::poker::deck::{Deck, DeckKind};
use crate::poker::ids::PlayerId;

/// How sure a voter is, 1 to 5. Never weighs the estimate.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Confidence(u8);

impl Confidence {
    pub fn get(self) -> u8 {
        self.0
    }

    fn is_low(self) -> bool {
        self.0 <= 2
    }
}

impl TryFrom<u8> for Confidence {
    type Error = &'static str;

    fn try_from(value: u8) -> Result<Self, &'static str> {
        if (1..=5).contains(&value) { Ok(Self(value)) } else { Err("must be from 1 to 5") }
    }
}

impl From<Confidence> for u8 {
    fn from(confidence: Confidence) -> Self {
        confidence.0
    }
}

/// The catalogue's `ConsensusData`. *Estimates* are the votes on estimate
/// cards, n their number; `?`, `☕` and `∞` are special.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub total_votes: u32,
    /// n.
    pub estimate_count: u32,
    pub special_counts: SpecialCounts,
    /// Played cards only: deck order, specials last.
    pub distribution: Vec<CardCount>,
    pub has_consensus: bool,
    pub level: Level,
    pub advice: Advice,
    /// Share of the most played card in the estimates, ten-thousandths.
    pub agreement_e4: u32,
    /// The same among estimates, `?` and `∞`: those are dissent.
    pub support_e4: u32,
    /// The most played estimate cards, by rank.
    pub modes: Vec<Card>,
    /// The upper median: always a card that was played.
    pub suggested: Option<Card>,
    /// Hundredths; numeric decks only, as are the next two.
    pub average_e2: Option<i64>,
    pub median_e2: Option<i64>,
    /// Population standard deviation.
    pub deviation_e2: Option<i64>,
    pub lowest: Option<Card>,
    pub highest: Option<Card>,
    /// Ranks between lowest and highest.
    pub spread_steps: Option<u8>,
    /// In the order of the votes. Names players: for anonymous sessions the
    /// projection leaves them out.
    pub outliers: Vec<Outlier>,
    /// Mean over the estimates that have one, hundredths.
    pub average_confidence_e2: Option<u32>,
    /// Estimates with a confidence of 1 or 2.
    pub low_confidence_count: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SpecialCounts {
    pub unknown: u32,
    #[serde(rename = "break")]
    pub breaks: u32,
    pub infinite: u32,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardCount {
    pub card: Card,
    pub count: u32,
}

/// A vote two or more steps away from the median, at one of the extremes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outlier {
    pub player: PlayerId,
    pub card: Card,
    pub direction: Direction,
    /// From the median, negative when low.
    pub steps: i16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Low,
    High,
}

/// How far apart the estimates are. Serialised as on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    None,
    Single,
    Split,
    Near,
    Consensus,
    Unanimous,
}

/// What to do next. Serialised as on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Advice {
    NoVotes,
    TakeBreak,
    SplitStory,
    NeedInfo,
    Accept,
    HearOutliers,
    Confirm,
    Discuss,
}

/// Counts the votes of one round. `threshold_percent` (51 to 100) is the
/// support that makes a consensus, inclusive. Votes for a card that the deck
/// does not have count nowhere; a session never holds one.
pub fn tally<'a>(
    deck: &Deck,
    votes: impl IntoIterator<Item = (PlayerId, &'a Card, Option<Confidence>)>,
    threshold_percent: u8,
) -> Tally {
    let votes: Vec<Vote> = votes
        .into_iter()
        .filter_map(|(player, card, confidence)| {
            let index = deck.index_of(card)?;
            Some(Vote { player, index, rank: deck.rank_at(index), confidence })
        })
        .collect();
    let count_of = |index| votes.iter().filter(|vote| vote.index == index).count() as u32;
    let counts: Vec<u32> = (0..deck.cards().len()).map(count_of).collect();

    // Card indices of all estimates, from the smallest.
    let mut estimates: Vec<usize> =
        votes.iter().filter(|vote| vote.rank.is_some()).map(|vote| vote.index).collect();
    estimates.sort_by_key(|&index| deck.rank_at(index));

    let total_votes = votes.len() as u32;
    let special_counts = special_counts(deck, &counts);
    let n = estimates.len() as u32;
    let most = estimates.iter().map(|&index| counts[index]).max().unwrap_or(0);
    let voices = n + special_counts.unknown + special_counts.infinite;
    let has_consensus = 2 <= n && u32::from(threshold_percent) * voices <= most * 100;

    let mut modes = estimates.clone();
    modes.dedup();
    modes.retain(|&index| counts[index] == most);

    let extremes = Extremes::of(deck, &estimates);
    let spread_steps = extremes.as_ref().map(Extremes::spread);
    let outliers: Vec<Outlier> = votes
        .iter()
        .filter_map(|vote| {
            let (direction, steps) = extremes.as_ref()?.outlier(vote.rank?)?;
            let card = deck.cards()[vote.index].clone();
            Some(Outlier { player: vote.player, card, direction, steps })
        })
        .collect();

    let level = match (n, spread_steps) {
        (0, _) | (_, None) => Level::None,
        (1, _) => Level::Single,
        _ if most == voices => Level::Unanimous,
        _ if has_consensus => Level::Consensus,
        (_, Some(0 | 1)) => Level::Near,
        _ => Level::Split,
    };
    let advice = match special_counts {
        _ if total_votes == 0 => Advice::NoVotes,
        SpecialCounts { breaks, .. } if total_votes <= 2 * breaks => Advice::TakeBreak,
        SpecialCounts { infinite, .. } if total_votes <= 2 * infinite => Advice::SplitStory,
        SpecialCounts { unknown, .. } if total_votes <= 2 * unknown => Advice::NeedInfo,
        _ if has_consensus && outliers.is_empty() => Advice::Accept,
        _ if has_consensus => Advice::HearOutliers,
        _ if level == Level::Near => Advice::Confirm,
        _ => Advice::Discuss,
    };

    let confidences = || votes.iter().filter(|v| v.rank.is_some()).filter_map(|v| v.confidence);
    let confidence_count = confidences().count() as u64;
    let confidence_sum: u64 = confidences().map(|c| u64::from(c.get())).sum();

    let numbers = Numbers::of(deck, &estimates);
    let card = |index: &usize| deck.cards()[*index].clone();
    Tally {
        total_votes,
        estimate_count: n,
        special_counts,
        distribution: distribution(deck, &counts),
        has_consensus,
        level,
        advice,
        agreement_e4: ratio(u64::from(most) * 10_000, u64::from(n)).unwrap_or(0) as u32,
        support_e4: ratio(u64::from(most) * 10_000, u64::from(voices)).unwrap_or(0) as u32,
        modes: modes.iter().map(card).collect(),
        suggested: estimates.get(estimates.len() / 2).map(card),
        average_e2: numbers.as_ref().map(Numbers::average_e2),
        median_e2: numbers.as_ref().map(Numbers::median_e2),
        deviation_e2: numbers.as_ref().map(Numbers::deviation_e2),
        lowest: estimates.first().map(card),
        highest: estimates.last().map(card),
        spread_steps,
        outliers,
        average_confidence_e2: ratio(confidence_sum * 100, confidence_count).map(|c| c as u32),
        low_confidence_count: confidences().filter(|c| c.is_low()).count() as u32,
    }
}

/// Figures tell what was played: as opaque to `{:?}` as the cards.
impl fmt::Debug for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tally(…)")
    }
}

impl fmt::Debug for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Confidence(…)")
    }
}

struct Vote {
    player: PlayerId,
    index: usize,
    rank: Option<u8>,
    confidence: Option<Confidence>,
}

fn special_counts(deck: &Deck, counts: &[u32]) -> SpecialCounts {
    let mut specials = SpecialCounts::default();
    for (card, count) in deck.cards().iter().zip(counts) {
        match card.special() {
            Some(Special::Unknown) => specials.unknown += count,
            Some(Special::Break) => specials.breaks += count,
            Some(Special::Infinite) => specials.infinite += count,
            None => {}
        }
    }
    specials
}

fn distribution(deck: &Deck, counts: &[u32]) -> Vec<CardCount> {
    let played = || deck.cards().iter().zip(counts).filter(|(_, count)| **count != 0);
    let estimates = played().filter(|(card, _)| card.special().is_none());
    let specials = played().filter(|(card, _)| card.special().is_some());
    estimates
        .chain(specials)
        .map(|(card, &count)| CardCount { card: card.clone(), count })
        .collect()
}

/// Ranks of the extreme cards and of the two medians (the same card when n is
/// odd). A bimodal round has them apart, so both camps are outliers.
struct Extremes {
    lowest: u8,
    lower_median: u8,
    upper_median: u8,
    highest: u8,
}

impl Extremes {
    fn of(deck: &Deck, estimates: &[usize]) -> Option<Self> {
        let rank = |place: usize| deck.rank_at(*estimates.get(place)?);
        let last = estimates.len().checked_sub(1)?;
        Some(Self {
            lowest: rank(0)?,
            lower_median: rank(last / 2)?,
            upper_median: rank(estimates.len() / 2)?,
            highest: rank(last)?,
        })
    }

    fn spread(&self) -> u8 {
        self.highest - self.lowest
    }

    fn outlier(&self, rank: u8) -> Option<(Direction, i16)> {
        let below = i16::from(rank) - i16::from(self.upper_median);
        let above = i16::from(rank) - i16::from(self.lower_median);
        if rank == self.lowest && below <= -2 {
            return Some((Direction::Low, below));
        }
        (rank == self.highest && 2 <= above).then_some((Direction::High, above))
    }
}

/// The estimates of a numeric deck in thousandths, ascending; never empty.
///
/// A value is below 10⁹ and a session has at most some thousand seats, so
/// sums of squares stay far below 2¹²⁷.
struct Numbers(Vec<u64>);

impl Numbers {
    fn of(deck: &Deck, estimates: &[usize]) -> Option<Self> {
        if deck.kind() != DeckKind::Numeric || estimates.is_empty() {
            return None;
        }
        let value = |&index: &usize| deck.cards().get(index)?.thousandths().map(u64::from);
        estimates.iter().map(value).collect::<Option<_>>().map(Self)
    }

    fn average_e2(&self) -> i64 {
        half_up(self.0.iter().sum(), 10 * self.count()) as i64
    }

    fn median_e2(&self) -> i64 {
        let (lower, upper) = (self.0[(self.0.len() - 1) / 2], self.0[self.0.len() / 2]);
        half_up(lower + upper, 20) as i64
    }

    /// √(Σ(x−x̄)²/n) = √(nΣx² − (Σx)²) / n. Rounding half up of √D / 10n is
    /// ⌊(⌊√D⌋ + 5n) / 10n⌋: the integer root loses nothing, because the floor
    /// of a quotient by an integer only needs the floor of its numerator.
    fn deviation_e2(&self) -> i64 {
        let n = u128::from(self.count());
        let sum: u128 = self.0.iter().copied().map(u128::from).sum();
        let squares: u128 = self.0.iter().map(|&x| u128::from(x).pow(2)).sum();
        let root = (n * squares - sum * sum).isqrt();
        ((root + 5 * n) / (10 * n)) as i64
    }

    fn count(&self) -> u64 {
        self.0.len() as u64
    }
}

fn ratio(numerator: u64, denominator: u64) -> Option<u64> {
    (denominator != 0).then(|| half_up(numerator, denominator))
}

/// Rounds to the nearest integer, exact halves up.
fn half_up(numerator: u64, denominator: u64) -> u64 {
    (2 * numerator + denominator) / (2 * denominator)
}
