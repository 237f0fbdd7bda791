//! The alerts and the board of `infra/` speak of numbers that exist.

use std::collections::BTreeSet;

use crate::seeing::house::House;

#[tokio::test]
async fn alerts_and_board_name_series_that_there_are() {
    let house = House::open();
    let samples = house.scrape().await;
    let known: BTreeSet<&str> =
        samples.0.keys().map(|series| series.split('{').next().unwrap_or_default()).collect();
    for page in [
        include_str!("../../infra/prometheus/alerts.yml"),
        include_str!("../../infra/prometheus/alerts_test.yml"),
        include_str!("../../infra/grafana/cardroom.json"),
    ] {
        let names = names(page);
        assert!(10 < names.len(), "{names:?}");
        for name in names {
            assert!(known.contains(name), "{name} is not exported");
        }
    }
}

/// The labels that alerts and board select by have values that there are.
#[tokio::test]
async fn alerts_and_board_select_by_values_that_there_are() {
    let house = House::open();
    let samples = house.scrape().await;
    let series: Vec<&String> = samples.0.keys().collect();
    for selector in [
        "cardroom_events_total{event=\"vote:submit\",outcome=\"failed\"}",
        "cardroom_events_total{event=\"vote:submit\",outcome=\"rate_limited\"}",
        "cardroom_store_calls_total{call=\"commit\",outcome=\"conflict\"}",
        "cardroom_store_calls_total{call=\"restore\",outcome=\"ok\"}",
        "cardroom_connections_closed_total{reason=\"slow consumer\"}",
        "cardroom_recoveries_total{result=\"failed\",reason=\"unknown id\"}",
        "cardroom_relayed_total{transport=\"polling\",outcome=\"lost\"}",
        "cardroom_relayed_total{transport=\"polling\",outcome=\"busy\"}",
    ] {
        assert!(series.iter().any(|known| *known == selector), "no {selector}");
    }
}

fn names(page: &str) -> BTreeSet<&str> {
    let words = page.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let ours = |word: &&str| word.starts_with("cardroom_") || word.starts_with("process_");
    words.filter(ours).collect()
}
