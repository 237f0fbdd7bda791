//! The sheet as CSV (RFC 4180), a row per story.

use csv::{QuoteStyle, Terminator, WriterBuilder};

use crate::api::results::Decimal;
use crate::http::export::sheet::{Sheet, StoryResults, Votes};

const HEADER: [&str; 18] = [
    "position",
    "story_id",
    "key",
    "title",
    "description",
    "link",
    "status",
    "final_estimate",
    "rounds",
    "votes_counted",
    "suggested",
    "average",
    "median",
    "deviation",
    "agreement",
    "consensus",
    "revealed_at",
    "votes",
];

pub(super) fn write(sheet: &Sheet<'_>) -> Vec<u8> {
    // Everything is quoted, so that no separator of another locale opens a
    // cell of its own.
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .quote_style(QuoteStyle::Always)
        .from_writer(Vec::new());
    // Writing to memory does not fail.
    let _ = writer.write_record(HEADER);
    for story in &sheet.stories {
        let _ = writer.write_record(row(story).map(harmless));
    }
    writer.into_inner().unwrap_or_default()
}

fn row(results: &StoryResults<'_>) -> [String; 18] {
    let story = &results.story;
    let latest = results.latest();
    let consensus = latest.map(|round| &round.consensus);
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let number = |value: Option<Decimal<2>>| value.map(decimal).unwrap_or_default();
    [
        (story.order_index + 1).to_string(),
        story.id.to_string(),
        text(story.key),
        story.title.to_owned(),
        text(story.description),
        text(story.link),
        story.status.as_str().to_owned(),
        text(story.final_estimate),
        story.rounds.to_string(),
        consensus.map(|c| c.total_votes.to_string()).unwrap_or_default(),
        text(consensus.and_then(|c| c.suggested_value)),
        number(consensus.and_then(|c| c.average_value)),
        number(consensus.and_then(|c| c.median)),
        number(consensus.and_then(|c| c.deviation)),
        consensus.map(|c| decimal(c.agreement)).unwrap_or_default(),
        consensus.map(|c| c.has_consensus.to_string()).unwrap_or_default(),
        latest.map(|round| round.revealed_at.to_string()).unwrap_or_default(),
        latest.map(|round| Votes(&round.votes).to_string()).unwrap_or_default(),
    ]
}

/// What a spreadsheet would take for a formula gets an apostrophe in front
/// (OWASP, CSV Injection); the wide forms are read like the narrow ones where
/// they are typed.
fn harmless(cell: String) -> String {
    const OPENERS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    if cell.starts_with(OPENERS) { format!("'{cell}") } else { cell }
}

/// With a point and without trailing zeros.
fn decimal<const PLACES: u32>(value: Decimal<PLACES>) -> String {
    let unit = 10_i64.pow(PLACES);
    let sign = if value.0 < 0 { "-" } else { "" };
    let (whole, rest) = ((value.0 / unit).abs(), (value.0 % unit).abs());
    let number = format!("{sign}{whole}.{rest:0places$}", places = PLACES as usize);
    number.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::export::sheet::Views;
    use crate::http::export::tests::{played, session};

    fn csv(session: &crate::poker::session::Session) -> Vec<Vec<String>> {
        let views = Views::new(session);
        let file = write(&Sheet::new(session, &views, session.touched_at));
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&*file);
        let rows =
            reader.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect());
        rows.collect()
    }

    #[test]
    fn formulas_are_disarmed() {
        for cell in
            ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1", "=cmd|' /C calc'!A0"]
        {
            assert_eq!(harmless(cell.to_owned()), format!("'{cell}"));
        }
        for cell in ["", "5", "a=b", "1-2", "'quoted", "½", "☕"] {
            assert_eq!(harmless(cell.to_owned()), cell);
        }
    }

    #[test]
    fn numbers_have_no_trailing_zeros() {
        assert_eq!(decimal(Decimal::<2>(560)), "5.6");
        assert_eq!(decimal(Decimal::<2>(500)), "5");
        assert_eq!(decimal(Decimal::<2>(1_000)), "10");
        assert_eq!(decimal(Decimal::<2>(5)), "0.05");
        assert_eq!(decimal(Decimal::<4>(6_667)), "0.6667");
        assert_eq!(decimal(Decimal::<2>(-5)), "-0.05");
    }

    #[test]
    fn quotes_commas_and_lines_survive() {
        let title = "=HYPERLINK(\"http://evil/\",\"x\")";
        let session = session(title, Some("a, \"b\";\n+c"));
        let rows = csv(&session);
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0], HEADER);
        assert_eq!(rows[1][3], format!("'{title}"));
        assert_eq!(rows[1][4], "a, \"b\";\n+c");
    }

    #[test]
    fn a_row_has_the_figures_of_the_latest_revealed_round() {
        let rows = csv(&played(&["5", "8"], true));
        let row: Vec<&str> = rows[1].iter().map(String::as_str).collect();
        assert_eq!(&row[8..16], ["0", "2", "8", "6.5", "6.5", "1.5", "0.5", "false"]);
        assert_eq!(row[17], "Ann: 5; Bob: 8");
    }

    #[test]
    fn what_is_not_revealed_is_not_there() {
        let rows = csv(&played(&["5", "8"], false));
        assert!(rows[1][9..].iter().all(String::is_empty), "{rows:?}");
    }
}
