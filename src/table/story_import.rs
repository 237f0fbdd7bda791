//! Many stories at once: CSV, JSON or plain lines.

use std::borrow::Cow;

use serde::Deserialize;

use crate::api::ack::RejectedRow;
use crate::api::client_event::ImportFormat;
use crate::api::failure::Failure;
use crate::api::field::BadField;
use crate::poker::names::TextError;
use crate::poker::story::StoryText;

/// Rows of one import.
pub(super) const IMPORT_ROWS_MAX: usize = 200;

/// What was read: the rows that make stories, and those that do not.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) texts: Vec<StoryText>,
    pub(super) rejected: Vec<RejectedRow>,
}

/// A row as it was written; all parts but the title may be missing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Row {
    title: String,
    description: Option<String>,
    key: Option<String>,
    link: Option<String>,
}

/// # Errors
/// When the data as a whole cannot be read, or has too many rows; a bad row
/// alone is listed and left out.
pub(super) fn read(format: ImportFormat, data: &str) -> Result<Rows, Failure> {
    let rows = match format {
        ImportFormat::Lines => lines(data),
        ImportFormat::Json => json(data)?,
        ImportFormat::Csv => csv(data)?,
    };
    if IMPORT_ROWS_MAX < rows.len() {
        return Err(problem(format!("has more than {IMPORT_ROWS_MAX} rows")).into());
    }
    let mut read = Rows::default();
    for (number, row) in (1..).zip(rows) {
        match row.and_then(text) {
            Ok(text) => read.texts.push(text),
            Err(reason) => read.rejected.push(RejectedRow { row: number, reason }),
        }
    }
    Ok(read)
}

type ReadRow = Result<Row, Cow<'static, str>>;

/// One title a line; blank lines are no rows.
fn lines(data: &str) -> Vec<ReadRow> {
    data.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| Ok(Row { title: line.to_owned(), ..Row::default() }))
        .collect()
}

/// A list of objects or of titles.
fn json(data: &str) -> Result<Vec<ReadRow>, BadField> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Item {
        Title(String),
        Row(Row),
    }
    let items: Vec<serde_json::Value> =
        serde_json::from_str(data).map_err(|_| problem("must be a JSON list of stories"))?;
    Ok(items
        .into_iter()
        .map(|item| match serde_json::from_value(item) {
            Ok(Item::Title(title)) => Ok(Row { title, ..Row::default() }),
            Ok(Item::Row(row)) => Ok(row),
            Err(_) => Err("must be a title, or an object with a title".into()),
        })
        .collect())
}

/// With a header that names the columns, or else title, description, key and
/// link in this order (RFC 4180).
fn csv(data: &str) -> Result<Vec<ReadRow>, BadField> {
    const COLUMNS: [&str; 4] = ["title", "description", "key", "link"];
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(data.as_bytes());
    let mut records: Vec<csv::StringRecord> = Vec::new();
    for record in reader.records() {
        records.push(record.map_err(|_| problem("must be CSV"))?);
    }
    let name = |cell: &str| cell.trim().to_lowercase();
    let header = records
        .first()
        .filter(|record| record.iter().any(|cell| name(cell) == "title"))
        .map(|record| record.iter().map(name).collect::<Vec<_>>());
    let first = usize::from(header.is_some());
    let columns =
        header.unwrap_or_else(|| COLUMNS.iter().map(|column| (*column).to_owned()).collect());

    Ok(records
        .iter()
        .skip(first)
        .map(|record| {
            let cell = |column: &str| {
                let index = columns.iter().position(|known| known == column)?;
                record.get(index).filter(|cell| !cell.trim().is_empty()).map(str::to_owned)
            };
            Ok(Row {
                title: cell("title").unwrap_or_default(),
                description: cell("description"),
                key: cell("key"),
                link: cell("link"),
            })
        })
        .collect())
}

fn text(row: Row) -> Result<StoryText, Cow<'static, str>> {
    fn parsed<T: std::str::FromStr<Err = TextError>>(
        name: &str,
        text: Option<&String>,
    ) -> Result<Option<T>, Cow<'static, str>> {
        text.map(|text| text.parse().map_err(|error| format!("{name} {error}").into())).transpose()
    }
    Ok(StoryText {
        title: parsed("title", Some(&row.title))?,
        description: parsed("description", row.description.as_ref())?,
        key: parsed("key", row.key.as_ref())?,
        link: parsed("link", row.link.as_ref())?,
    })
}

fn problem(problem: impl Into<Cow<'static, str>>) -> BadField {
    BadField { field: "data".into(), problem: problem.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titles(rows: &Rows) -> Vec<&str> {
        rows.texts.iter().filter_map(|text| text.title.as_ref()).map(|t| t.as_str()).collect()
    }

    #[test]
    fn every_line_is_a_title() {
        let rows = read(ImportFormat::Lines, "One\n\n  Two \n").unwrap();
        assert_eq!(titles(&rows), ["One", "Two"]);
    }

    #[test]
    fn a_bad_row_is_listed_and_the_others_are_taken() {
        let long = "x".repeat(201);
        let rows = read(ImportFormat::Lines, &format!("One\n{long}\nThree")).unwrap();
        assert_eq!(titles(&rows), ["One", "Three"]);
        assert_eq!(rows.rejected[0].row, 2);
        assert_eq!(rows.rejected[0].reason, "title must not be longer than 200 characters");
    }

    #[test]
    fn csv_may_name_its_columns_in_any_order() {
        let data =
            "Key,Title,Link\nA-1,\"One, or two\",https://example.org/1\nA-2,Three,nonsense\n";
        let rows = read(ImportFormat::Csv, data).unwrap();
        assert_eq!(titles(&rows), ["One, or two"]);
        assert_eq!(rows.texts[0].key.as_ref().unwrap().as_str(), "A-1");
        assert_eq!(rows.rejected[0].row, 2);
    }

    #[test]
    fn csv_without_a_header_begins_with_titles() {
        let rows = read(ImportFormat::Csv, "One,What it is\nTwo\n").unwrap();
        assert_eq!(titles(&rows), ["One", "Two"]);
        assert_eq!(rows.texts[0].description.as_ref().unwrap().as_str(), "What it is");
    }

    #[test]
    fn json_takes_titles_and_objects() {
        let rows = read(ImportFormat::Json, r#"["One", {"title":"Two","key":"K"}, 3]"#).unwrap();
        assert_eq!(titles(&rows), ["One", "Two"]);
        assert_eq!(rows.rejected[0].row, 3);
        assert!(read(ImportFormat::Json, "{").is_err());
    }

    #[test]
    fn too_many_rows_are_refused_whole() {
        let data = "x\n".repeat(IMPORT_ROWS_MAX + 1);
        assert!(read(ImportFormat::Lines, &data).is_err());
    }
}
