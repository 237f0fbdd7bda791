//! The sheet as Markdown, to paste into a wiki or a ticket.

use std::fmt::{self, Write as _};

use crate::http::export::sheet::{Sheet, StoryResults, Votes};

pub(super) fn write(sheet: &Sheet<'_>) -> String {
    let mut page = String::new();
    // Writing to memory does not fail.
    let _ = write_page(&mut page, sheet);
    page
}

fn write_page(page: &mut String, sheet: &Sheet<'_>) -> fmt::Result {
    writeln!(page, "# {}\n", Plain(sheet.name))?;
    writeln!(
        page,
        "Opened {}, exported {}. Deck: {}.\n",
        sheet.opened_at,
        sheet.exported_at,
        Plain(sheet.deck.name)
    )?;
    writeln!(page, "| # | Key | Story | Estimate | Rounds | Average | Agreement | Votes |")?;
    writeln!(page, "|--:|-----|-------|---------:|-------:|--------:|----------:|-------|")?;
    for story in &sheet.stories {
        write_row(page, story)?;
    }
    Ok(())
}

fn write_row(page: &mut String, results: &StoryResults<'_>) -> fmt::Result {
    let story = &results.story;
    write!(page, "| {} ", story.order_index + 1)?;
    match (story.key, story.link) {
        (Some(key), Some(link)) => write!(page, "| [{}](<{}>) ", Plain(key), Target(link))?,
        (None, Some(link)) => write!(page, "| [link](<{}>) ", Target(link))?,
        (key, None) => write!(page, "| {} ", Plain(key.unwrap_or_default()))?,
    }
    let estimate = story.final_estimate.unwrap_or_default();
    write!(page, "| {} | {} | {} ", Plain(story.title), Plain(estimate), story.rounds)?;
    let Some(latest) = results.latest() else { return writeln!(page, "| | | |") };
    let average = latest.consensus.average_value.map(|value| value.0 as f64 / 100.0);
    match average {
        Some(average) => write!(page, "| {average} ")?,
        None => write!(page, "| ")?,
    }
    let percent = latest.consensus.agreement.0 as f64 / 100.0;
    let votes = Votes(&latest.votes).to_string();
    writeln!(page, "| {percent:.0} % | {} |", Plain(&votes))
}

/// Text that stays text: no emphasis, link, image, HTML, autolink or cell.
struct Plain<'a>(&'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = None;
        for c in self.0.chars() {
            match c {
                '\n' | '\r' | '\t' => f.write_char(' ')?,
                // `www.` and `a@b.c` become links without any bracket.
                '.' if before.is_some_and(|b: char| b.is_alphabetic()) => f.write_str("\\.")?,
                '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '(' | ')' | '#'
                | '+' | '-' | '!' | '|' | '~' | '&' | '@' | ':' | '=' | '$' | '^' => {
                    write!(f, "\\{c}")?;
                }
                c => f.write_char(c)?,
            }
            before = Some(c);
        }
        Ok(())
    }
}

/// The target of a link, between angle brackets in a cell of a table. It is
/// an `http` or `https` URL without blanks, quotes or brackets already.
struct Target<'a>(&'a str);

impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '|' => f.write_str("%7C")?,
                '<' => f.write_str("%3C")?,
                '>' => f.write_str("%3E")?,
                '\\' => f.write_str("%5C")?,
                '\n' | '\r' => {}
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::export::sheet::Views;
    use crate::http::export::tests::{played, session};

    fn markdown(session: &crate::poker::session::Session) -> String {
        let views = Views::new(session);
        write(&Sheet::new(session, &views, session.touched_at))
    }

    #[test]
    fn text_stays_text() {
        for (text, escaped) in [
            ("a|b", "a\\|b"),
            ("*b* _i_ `c`", "\\*b\\* \\_i\\_ \\`c\\`"),
            ("<script>", "\\<script\\>"),
            ("[x](http://evil)", "\\[x\\]\\(http\\://evil\\)"),
            ("www.evil.example", "www\\.evil\\.example"),
            ("two\nlines", "two lines"),
            ("\\|", "\\\\\\|"),
            ("3.5", "3.5"),
            ("ä ½ ☕", "ä ½ ☕"),
        ] {
            assert_eq!(Plain(text).to_string(), escaped);
        }
        assert_eq!(Target("http://a/|>x").to_string(), "http://a/%7C%3Ex");
    }

    #[test]
    fn a_story_is_one_row_of_eight_cells() {
        let page = markdown(&session("a | b\\", None));
        let row = page.lines().last().expect("a row");
        let bars = row.replace("\\\\", "").replace("\\|", "").matches('|').count();
        assert_eq!(bars, 9, "{row}");
        assert!(row.contains("a \\| b\\\\"), "{row}");
    }

    #[test]
    fn shows_what_was_revealed_and_nothing_else() {
        let row = "| 1 |  |  |  | 0 | 6.5 | 50 % | Ann\\: 5; Bob\\: 8 |";
        assert!(markdown(&played(&["5", "8"], true)).contains(row));
        let hidden = [markdown(&played(&["5", "8"], false)), markdown(&played(&["1", "2"], false))];
        assert_eq!(hidden[0], hidden[1]);
    }
}
