//! Many stories at once: CSV, JSON or plain lines.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer as _, SeqAccess, Visitor};
use serde_json::value::RawValue;

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

/// Rows that are kept while reading: one more, so that too many is noticed.
const KEPT_MAX: usize = IMPORT_ROWS_MAX + 1;

/// One title a line; blank lines are no rows.
fn lines(data: &str) -> Vec<ReadRow> {
    data.lines()
        .filter(|line| !line.trim().is_empty())
        .take(KEPT_MAX)
        .map(|line| Ok(Row { title: line.to_owned(), ..Row::default() }))
        .collect()
}

/// A list of objects or of titles.
fn json(data: &str) -> Result<Vec<ReadRow>, BadField> {
    struct Items;

    impl<'de> Visitor<'de> for Items {
        type Value = Vec<ReadRow>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of stories")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            let mut rows = Vec::new();
            while let Some(item) = items.next_element::<&RawValue>()? {
                if rows.len() < KEPT_MAX {
                    rows.push(json_row(item.get()));
                }
            }
            Ok(rows)
        }
    }

    let mut deserializer = serde_json::Deserializer::from_str(data);
    let rows = deserializer.deserialize_seq(Items);
    rows.and_then(|rows| deserializer.end().map(|()| rows))
        .map_err(|_| problem("must be a JSON list of stories"))
}

fn json_row(item: &str) -> ReadRow {
    let row = match item.as_bytes().first() {
        Some(b'"') => serde_json::from_str(item).map(|title| Row { title, ..Row::default() }).ok(),
        Some(b'{') => serde_json::from_str(item).ok(),
        _ => None,
    };
    row.ok_or(Cow::Borrowed("must be a title, or an object with a title"))
}

/// With a header that names the columns, or else title, description, key and
/// link in this order (RFC 4180).
fn csv(data: &str) -> Result<Vec<ReadRow>, BadField> {
    const COLUMNS: [&str; 4] = ["title", "description", "key", "link"];
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(data.as_bytes());
    // Or it would keep two copies of the first record. The names of columns are
    // looked for below.
    reader.set_headers(csv::StringRecord::new());
    let mut places = [0, 1, 2, 3].map(Some);
    let mut rows = Vec::new();
    // One for all: a line of commas takes ten times its length.
    let mut record = csv::StringRecord::new();
    let mut is_first = true;
    while reader.read_record(&mut record).map_err(|_| problem("must be CSV"))? {
        if std::mem::take(&mut is_first) {
            let place =
                |column| record.iter().position(|cell| cell.trim().to_lowercase() == column);
            if place("title").is_some() {
                places = COLUMNS.map(place);
                continue;
            }
        }
        let [title, description, key, link] = places.map(|place| {
            record.get(place?).filter(|cell| !cell.trim().is_empty()).map(str::to_owned)
        });
        rows.push(Ok(Row { title: title.unwrap_or_default(), description, key, link }));
        if rows.len() == KEPT_MAX {
            break;
        }
    }
    Ok(rows)
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

    /// Found by `fuzz/targets/story_import.rs`: it took 1.2 MB.
    #[test]
    fn a_line_of_commas_is_one_bad_row() {
        let rows = read(ImportFormat::Csv, &",".repeat(60_000)).unwrap();
        assert_eq!((rows.texts.len(), rows.rejected.len()), (0, 1));
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
        let twice = read(ImportFormat::Json, r#"[{"title":"One","title":"Two"}]"#).unwrap();
        assert_eq!(twice.rejected.len(), 1);
        for broken in ["{", "{}", "[", "[1] 2", "\"One\""] {
            assert!(read(ImportFormat::Json, broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn too_many_rows_are_refused_whole() {
        let rows = |row: &str, count| row.repeat(count);
        for (format, row) in [(ImportFormat::Lines, "x\n"), (ImportFormat::Csv, "x,y\n")] {
            assert!(read(format, &rows(row, IMPORT_ROWS_MAX)).is_ok());
            assert!(read(format, &rows(row, IMPORT_ROWS_MAX + 1)).is_err());
        }
        let json = |count| format!("[{}1]", rows("1,", count - 1));
        assert!(read(ImportFormat::Json, &json(IMPORT_ROWS_MAX)).is_ok());
        assert!(read(ImportFormat::Json, &json(IMPORT_ROWS_MAX + 1)).is_err());
    }
}
