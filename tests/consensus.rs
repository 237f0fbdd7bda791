//! The statistics of a round: the catalogue's 28 vectors with all their
//! fields, and the properties it lists, against a naive model.

use std::sync::LazyLock;

use cardroom::poker::card::{Card, Special};
use cardroom::poker::deck::{Deck, DeckKind, Preset};
use cardroom::poker::ids::PlayerId;
use cardroom::poker::tally::{Confidence, Tally, tally};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

#[test]
fn the_vectors() {
    let vectors: Vec<Value> =
        serde_json::from_str(include_str!("data/consensus_vectors.json")).expect("JSON");
    assert_eq!(vectors.len(), 28);
    for vector in &vectors {
        let name = &vector["name"];
        let labels = vector["deck"].as_array().expect("a deck");
        let deck = Deck::custom("Vector", labels.iter().filter_map(Value::as_str)).expect("a deck");
        assert_eq!(json!(deck.kind().as_str()), vector["deckKind"], "{name}");

        let votes: Vec<Ballot<'_>> = vector["votes"]
            .as_array()
            .expect("votes")
            .iter()
            .map(|vote| {
                let card = deck.find(vote["value"].as_str().expect("a label")).expect("a card");
                let confidence = vote.get("confidence").and_then(Value::as_u64);
                let confidence = confidence.and_then(|c| Confidence::try_from(c as u8).ok());
                (player(&vote["playerId"]), card, confidence)
            })
            .collect();
        assert_eq!(wire(&tally(&deck, votes, 80)), vector["expected"], "{name}");
    }
}

#[test]
fn the_presets_are_the_decks_of_the_vectors() {
    let vectors = include_str!("data/consensus_vectors.json");
    let vectors: Vec<Value> = serde_json::from_str(vectors).expect("JSON");
    for (vector, preset) in [
        ("V01", Preset::Fibonacci),
        ("V07", Preset::ModifiedFibonacci),
        ("V13", Preset::TShirt),
        ("V21", Preset::Time),
        ("V23", Preset::PowersOfTwo),
    ] {
        let has_name = |v: &&Value| v["name"].as_str().is_some_and(|name| name.starts_with(vector));
        let expected = &vectors.iter().find(has_name).expect("a vector")["deck"];
        assert_eq!(&json!(Deck::preset(preset).cards()), expected, "{vector}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn agrees_with_the_naive_model(round in round()) {
        let tally = wire(&round.tally());
        let model = naive(&round);
        for (field, expected) in model.as_object().expect("an object") {
            prop_assert_eq!(&tally[field], expected, "{}", field);
        }
        prop_assert_eq!(tally.as_object().map(|t| t.len()), model.as_object().map(|m| m.len()));
    }

    #[test]
    fn the_order_of_votes_is_irrelevant(round in round(), by in any::<Index>(), flip: bool) {
        let mut other = round.clone();
        if !round.votes.is_empty() {
            other.votes.rotate_left(by.index(round.votes.len()));
        }
        if flip {
            other.votes.reverse();
        }
        // Outliers are listed in the order of the votes: compare them as a set.
        let sorted = |mut tally: Tally| {
            tally.outliers.sort_by_key(|outlier| outlier.player);
            tally
        };
        prop_assert!(sorted(round.tally()) == sorted(other.tally()));
    }

    #[test]
    fn a_coffee_changes_no_estimate_statistic(round in round()) {
        let Some(coffee) = round.deck.find("☕") else { return Ok(()) };
        let before = round.tally();
        let mut with_coffee = round.clone();
        with_coffee.votes.push((PlayerId::from_bytes([255; 16]), coffee, None));
        let after = with_coffee.tally();
        prop_assert_eq!(after.total_votes, before.total_votes + 1);
        prop_assert_eq!(after.special_counts.breaks, before.special_counts.breaks + 1);
        let estimates_of = |tally: Tally| {
            let mut fields = wire(&tally);
            for field in ["totalVotes", "specialCounts", "distribution", "advice"] {
                fields[field] = Value::Null;
            }
            fields
        };
        prop_assert_eq!(estimates_of(after), estimates_of(before));
    }

    #[test]
    fn the_suggestion_is_a_card_that_was_played(round in round()) {
        let tally = round.tally();
        let played = |card: &Card| round.votes.iter().any(|(_, played, _)| *played == card);
        prop_assert!(tally.suggested.as_ref().is_none_or(played));
        prop_assert_eq!(tally.suggested.is_some(), tally.estimate_count != 0);
    }

    #[test]
    fn a_strict_majority_is_the_suggestion(round in round()) {
        let tally = round.tally();
        let majority = tally.distribution.iter().find(|entry| {
            entry.card.special().is_none() && tally.estimate_count < 2 * entry.count
        });
        if let Some(majority) = majority {
            prop_assert_eq!(tally.suggested.as_ref(), Some(&majority.card));
            prop_assert_eq!(tally.modes.as_slice(), std::slice::from_ref(&majority.card));
        }
    }

    #[test]
    fn support_never_exceeds_agreement(round in round()) {
        let tally = round.tally();
        prop_assert!(tally.support_e4 <= tally.agreement_e4);
        prop_assert!(tally.agreement_e4 <= 10_000);
    }

    #[test]
    fn a_consensus_has_exactly_one_mode(round in round()) {
        let tally = round.tally();
        prop_assert!(!tally.has_consensus || tally.modes.len() == 1);
    }

    #[test]
    fn the_average_lies_between_the_extremes(round in round()) {
        let tally = round.tally();
        if let Some(average) = tally.average_e2 {
            let hundredths = |card: &Option<Card>| {
                let thousandths = card.as_ref().and_then(Card::thousandths).expect("a number");
                (i64::from(thousandths) + 5) / 10
            };
            prop_assert!(hundredths(&tally.lowest) <= average);
            prop_assert!(average <= hundredths(&tally.highest));
        }
    }
}

/// What the catalogue calls `ConsensusData`, built here on its own: the
/// vectors must not depend on how the server writes it.
fn wire(tally: &Tally) -> Value {
    let hundredths = |value: Option<i64>| value.map(|value| value as f64 / 100.0);
    let word = |word: Result<Value, serde_json::Error>| word.expect("a word");
    let distribution = tally.distribution.iter();
    let outliers = tally.outliers.iter();
    json!({
        "totalVotes": tally.total_votes,
        "estimateCount": tally.estimate_count,
        "specialCounts": {
            "unknown": tally.special_counts.unknown,
            "break": tally.special_counts.breaks,
            "infinite": tally.special_counts.infinite,
        },
        "distribution": distribution
            .map(|entry| json!({"value": entry.card, "count": entry.count}))
            .collect::<Vec<_>>(),
        "hasConsensus": tally.has_consensus,
        "level": word(serde_json::to_value(tally.level)),
        "advice": word(serde_json::to_value(tally.advice)),
        "agreement": f64::from(tally.agreement_e4) / 10_000.0,
        "support": f64::from(tally.support_e4) / 10_000.0,
        "modes": tally.modes,
        "suggestedValue": tally.suggested,
        "averageValue": hundredths(tally.average_e2),
        "median": hundredths(tally.median_e2),
        "deviation": hundredths(tally.deviation_e2),
        "lowest": tally.lowest,
        "highest": tally.highest,
        "spreadSteps": tally.spread_steps,
        "outliers": outliers
            .map(|outlier| json!({
                "playerId": format!("p{}", outlier.player.to_bytes()[0]),
                "value": outlier.card,
                "direction": word(serde_json::to_value(outlier.direction)),
                "steps": outlier.steps,
            }))
            .collect::<Vec<_>>(),
        "averageConfidence": hundredths(tally.average_confidence_e2.map(i64::from)),
        "lowConfidenceCount": tally.low_confidence_count,
    })
}

/// The model: follows the words of the catalogue one by one, without regard
/// for speed, and finds rounded values by trying candidates.
fn naive(round: &Round) -> Value {
    let deck = round.deck;
    let all: Vec<&Card> = round.votes.iter().map(|(_, card, _)| *card).collect();
    let specials = |special| all.iter().filter(|card| card.special() == Some(special)).count();
    let (unknown, breaks, infinite) =
        (specials(Special::Unknown), specials(Special::Break), specials(Special::Infinite));

    let numeric = deck.kind() == DeckKind::Numeric;
    let mut ladder: Vec<&Card> = deck.cards().iter().filter(|c| c.special().is_none()).collect();
    if numeric {
        ladder.sort_by_key(|card| card.thousandths());
    }
    let rank = |card: &Card| ladder.iter().position(|c| *c == card).expect("a rank") as i64;
    let mut estimates: Vec<&Card> =
        all.iter().copied().filter(|card| card.special().is_none()).collect();
    estimates.sort_by_key(|card| rank(card));

    let n = estimates.len();
    let count = |card: &Card| all.iter().filter(|c| **c == card).count();
    let most = ladder.iter().map(|card| count(card)).max().unwrap_or(0);
    let voices = n + unknown + infinite;
    let has_consensus = n >= 2 && most * 100 >= usize::from(round.threshold_percent) * voices;
    let modes: Vec<_> = ladder.iter().filter(|card| most > 0 && count(card) == most).collect();
    let upper = estimates.get(n / 2).copied();
    let lower = n.checked_sub(1).map(|last| estimates[last / 2]);
    let (lowest, highest) = (estimates.first().copied(), estimates.last().copied());
    let spread = lowest.zip(highest).map(|(low, high)| rank(high) - rank(low));

    let mut outliers = Vec::new();
    for (player, card, _) in round.votes.iter().filter(|(_, card, _)| card.special().is_none()) {
        let player = format!("p{}", player.to_bytes()[0]);
        let from_upper = rank(card) - rank(upper.expect("a median"));
        let from_lower = rank(card) - rank(lower.expect("a median"));
        if Some(*card) == lowest && from_upper <= -2 {
            outliers.push(
                json!({"playerId": player, "value": card, "direction": "low", "steps": from_upper}),
            );
        } else if Some(*card) == highest && from_lower >= 2 {
            outliers.push(json!({"playerId": player, "value": card, "direction": "high", "steps": from_lower}));
        }
    }

    let near = spread.is_some_and(|steps| steps <= 1);
    let level = match n {
        0 => "none",
        1 => "single",
        _ if modes.len() == 1 && most == n && unknown == 0 && infinite == 0 => "unanimous",
        _ if has_consensus => "consensus",
        _ if near => "near",
        _ => "split",
    };
    let advice = if all.is_empty() {
        "no_votes"
    } else if 2 * breaks >= all.len() {
        "take_break"
    } else if 2 * infinite >= all.len() {
        "split_story"
    } else if 2 * unknown >= all.len() {
        "need_info"
    } else if has_consensus {
        if outliers.is_empty() { "accept" } else { "hear_outliers" }
    } else if level == "near" {
        "confirm"
    } else {
        "discuss"
    };

    let values: Vec<i128> = match numeric {
        true => estimates.iter().filter_map(|c| c.thousandths().map(i128::from)).collect(),
        false => Vec::new(),
    };
    let numbers = (!values.is_empty()).then(|| {
        let len = values.len() as i128;
        let sum: i128 = values.iter().sum();
        let middles = values[(values.len() - 1) / 2] + values[values.len() / 2];
        // n²·variance, from the definition: Σ(nx − Σx)² / n.
        let scatter = values.iter().map(|x| (len * x - sum).pow(2)).sum::<i128>() / len;
        // The largest r with r − ½ ≤ √(scatter) / 10n.
        let fits = |r: i128| r == 0 || ((2 * r - 1) * 5 * len).pow(2) <= scatter;
        let (mut low, mut high) = (0, 1_000_000_000);
        while high - low > 1 {
            let middle = (low + high) / 2;
            if fits(middle) { low = middle } else { high = middle }
        }
        (rounded(sum, 10 * len), rounded(middles, 20), low)
    });
    let hundredths = |value: Option<i128>| value.map(|value| value as f64 / 100.0);
    let share = |of: usize| match of {
        0 => 0.0,
        _ => rounded(most as i128 * 10_000, of as i128) as f64 / 10_000.0,
    };

    let sure: Vec<i128> = round
        .votes
        .iter()
        .filter(|(_, card, _)| card.special().is_none())
        .filter_map(|(_, _, confidence)| confidence.map(|c| i128::from(c.get())))
        .collect();
    let sureness =
        (!sure.is_empty()).then(|| rounded(sure.iter().sum::<i128>() * 100, sure.len() as i128));

    let listed = |special: bool| {
        let cards = deck.cards().iter().filter(move |c| c.special().is_some() == special);
        cards
            .filter(|card| count(card) > 0)
            .map(|card| json!({"value": card, "count": count(card)}))
    };
    json!({
        "totalVotes": all.len(),
        "estimateCount": n,
        "specialCounts": {"unknown": unknown, "break": breaks, "infinite": infinite},
        "distribution": listed(false).chain(listed(true)).collect::<Vec<_>>(),
        "hasConsensus": has_consensus,
        "level": level,
        "advice": advice,
        "agreement": share(n),
        "support": share(voices),
        "modes": modes,
        "suggestedValue": upper,
        "averageValue": hundredths(numbers.map(|(average, _, _)| average)),
        "median": hundredths(numbers.map(|(_, median, _)| median)),
        "deviation": hundredths(numbers.map(|(_, _, deviation)| deviation)),
        "lowest": lowest,
        "highest": highest,
        "spreadSteps": spread,
        "outliers": outliers,
        "averageConfidence": hundredths(sureness),
        "lowConfidenceCount": sure.iter().filter(|c| **c <= 2).count(),
    })
}

/// The nearest integer to a fraction, halves up, by its remainder.
fn rounded(numerator: i128, denominator: i128) -> i128 {
    let whole = numerator / denominator;
    if 2 * (numerator % denominator) >= denominator { whole + 1 } else { whole }
}

type Ballot<'a> = (PlayerId, &'a Card, Option<Confidence>);

#[derive(Debug, Clone)]
struct Round {
    deck: &'static Deck,
    votes: Vec<Ballot<'static>>,
    threshold_percent: u8,
}

impl Round {
    fn tally(&self) -> Tally {
        tally(self.deck, self.votes.iter().copied(), self.threshold_percent)
    }
}

/// Any deck, up to 14 votes on any of its cards (biased to few different
/// ones, so that modes and consensus occur), any threshold.
fn round() -> impl Strategy<Value = Round> {
    let vote = (any::<Index>(), 0u8..=7);
    let votes = prop::collection::vec(vote, 0..14);
    (any::<Index>(), 1usize..=14, votes, 51u8..=100).prop_map(|(deck, width, votes, percent)| {
        let deck = deck.get(DECKS.as_slice());
        let width = width.min(deck.cards().len());
        let ballot = |(number, (card, confidence)): (usize, (Index, u8))| {
            let player = PlayerId::from_bytes([number as u8 + 1; 16]);
            // From the end of the deck half of the time: there are the specials.
            let place = card.index(width);
            let place = if width % 2 == 0 { place } else { deck.cards().len() - 1 - place };
            (player, &deck.cards()[place], Confidence::try_from(confidence).ok())
        };
        let votes = votes.into_iter().enumerate().map(ballot).collect();
        Round { deck, votes, threshold_percent: percent }
    })
}

static DECKS: LazyLock<Vec<Deck>> = LazyLock::new(|| {
    let custom = |labels: &str| Deck::custom("Ours", labels.split(' ')).expect("a deck");
    let mut decks: Vec<Deck> = Preset::ALL.into_iter().map(Deck::preset).collect();
    decks.extend([
        custom("8 ? 1 ½ ☕ 3 ∞"),
        custom("0.125 0.333 1.005 2.5 7.015 999999.999 ? ☕"),
        custom("S M ? L 1 2 3 ∞ ☕"),
        custom("¼ ½ ¾ 1"),
    ]);
    decks
});

fn player(id: &Value) -> PlayerId {
    let number = id.as_str().and_then(|id| id.strip_prefix('p')).and_then(|n| n.parse().ok());
    PlayerId::from_bytes([number.expect("a player id like p1"); 16])
}
