//! `VoteResult` and `ConsensusData` of the catalogue, §3: a revealed round.

use serde::{Serialize, Serializer};

use crate::api::time::Iso;
use crate::poker::ids::PlayerId;
use crate::poker::round::RevealedVote;
use crate::poker::tally::{
    Advice, CardCount, Confidence, Direction, Level, Outlier, SpecialCounts, Tally,
};

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct VoteResult<'a> {
    #[cfg_attr(feature = "server", schema(required))]
    pub player_id: Option<PlayerId>,
    #[cfg_attr(feature = "server", schema(required))]
    pub player_name: Option<&'a str>,
    #[cfg_attr(feature = "server", schema(required))]
    pub value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(nullable = false))]
    pub confidence: Option<Confidence>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(nullable = false))]
    pub initial_value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(nullable = false))]
    pub voted_at: Option<Iso>,
}

impl<'a> From<&'a RevealedVote> for VoteResult<'a> {
    fn from(vote: &'a RevealedVote) -> Self {
        Self {
            player_id: vote.player,
            player_name: vote.name.as_ref().map(|name| name.as_str()),
            value: vote.card.as_ref().map(|card| card.as_str()),
            confidence: vote.confidence,
            initial_value: vote.initial.as_ref().map(|card| card.as_str()),
            voted_at: vote.cast_at.map(Iso),
        }
    }
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ConsensusData<'a> {
    pub has_consensus: bool,
    #[cfg_attr(feature = "server", schema(required))]
    pub suggested_value: Option<&'a str>,
    #[cfg_attr(feature = "server", schema(required))]
    pub average_value: Option<Decimal<2>>,
    #[cfg_attr(feature = "server", schema(required))]
    pub deviation: Option<Decimal<2>>,
    pub agreement: Decimal<4>,
    pub support: Decimal<4>,
    pub level: Level,
    pub advice: Advice,
    #[cfg_attr(feature = "server", schema(required))]
    pub median: Option<Decimal<2>>,
    pub modes: Vec<&'a str>,
    #[cfg_attr(feature = "server", schema(required))]
    pub lowest: Option<&'a str>,
    #[cfg_attr(feature = "server", schema(required))]
    pub highest: Option<&'a str>,
    #[cfg_attr(feature = "server", schema(required))]
    pub spread_steps: Option<u8>,
    pub distribution: Vec<CardShare<'a>>,
    pub total_votes: u32,
    pub estimate_count: u32,
    pub special_counts: SpecialCounts,
    pub outliers: Vec<OutlierInfo<'a>>,
    #[cfg_attr(feature = "server", schema(required))]
    pub average_confidence: Option<Decimal<2>>,
    pub low_confidence_count: u32,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct CardShare<'a> {
    pub value: &'a str,
    pub count: u32,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct OutlierInfo<'a> {
    pub player_id: PlayerId,
    pub value: &'a str,
    pub direction: Direction,
    pub steps: i16,
}

impl<'a> From<&'a Tally> for ConsensusData<'a> {
    fn from(tally: &'a Tally) -> Self {
        Self {
            has_consensus: tally.has_consensus,
            suggested_value: tally.suggested.as_ref().map(|card| card.as_str()),
            average_value: tally.average_e2.map(Decimal),
            deviation: tally.deviation_e2.map(Decimal),
            agreement: Decimal(tally.agreement_e4.into()),
            support: Decimal(tally.support_e4.into()),
            level: tally.level,
            advice: tally.advice,
            median: tally.median_e2.map(Decimal),
            modes: tally.modes.iter().map(|card| card.as_str()).collect(),
            lowest: tally.lowest.as_ref().map(|card| card.as_str()),
            highest: tally.highest.as_ref().map(|card| card.as_str()),
            spread_steps: tally.spread_steps,
            distribution: tally.distribution.iter().map(CardShare::from).collect(),
            total_votes: tally.total_votes,
            estimate_count: tally.estimate_count,
            special_counts: tally.special_counts,
            outliers: tally.outliers.iter().map(OutlierInfo::from).collect(),
            average_confidence: tally.average_confidence_e2.map(|mean| Decimal(mean.into())),
            low_confidence_count: tally.low_confidence_count,
        }
    }
}

impl<'a> From<&'a CardCount> for CardShare<'a> {
    fn from(share: &'a CardCount) -> Self {
        Self { value: share.card.as_str(), count: share.count }
    }
}

impl<'a> From<&'a Outlier> for OutlierInfo<'a> {
    fn from(outlier: &'a Outlier) -> Self {
        Self {
            player_id: outlier.player,
            value: outlier.card.as_str(),
            direction: outlier.direction,
            steps: outlier.steps,
        }
    }
}

/// A number with `PLACES` decimals, held exactly; a JSON number on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal<const PLACES: u32>(pub i64);

impl<const PLACES: u32> Serialize for Decimal<PLACES> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let unit = 10_i64.pow(PLACES);
        if self.0 % unit == 0 {
            serializer.serialize_i64(self.0 / unit)
        } else {
            // Correctly rounded division: prints with at most PLACES decimals.
            serializer.serialize_f64(self.0 as f64 / unit as f64)
        }
    }
}
