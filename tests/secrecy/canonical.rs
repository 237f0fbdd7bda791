//! What legitimately differs from run to run, ids and times, is replaced;
//! every other byte stays as it is.

use std::collections::HashMap;
use std::fmt::Write as _;

/// Ids of one session, numbered as they appear.
#[derive(Debug, Default)]
pub(super) struct Names {
    numbers: HashMap<String, String>,
    counts: HashMap<&'static str, usize>,
}

impl Names {
    /// Gives a text that has no shape of its own its kind.
    pub(super) fn know(&mut self, text: &str, kind: &'static str) {
        if !text.is_empty() {
            self.number(text, kind);
        }
    }

    fn number(&mut self, text: &str, kind: &'static str) -> &str {
        if !self.numbers.contains_key(text) {
            let count = self.counts.entry(kind).or_default();
            *count += 1;
            self.numbers.insert(text.to_owned(), format!("<{kind} {count}>"));
        }
        &self.numbers[text]
    }

    pub(super) fn canonical(&mut self, line: &str) -> String {
        let bytes = line.as_bytes();
        let mut out = String::with_capacity(line.len());
        let mut at = 0;
        while at < bytes.len() {
            let from = at;
            while at < bytes.len() && !is_word(bytes[at]) {
                at += 1;
            }
            out.push_str(&line[from..at]);
            let from = at;
            while at < bytes.len() && is_word(bytes[at]) {
                at += 1;
            }
            let (word, after) = (&line[from..at], &line[at..]);
            if let Some(length) = iso_length(word, &line[from..]) {
                out.push_str("<iso>");
                at = from + length;
            } else {
                self.word(&mut out, word, after);
            }
        }
        let out = sorted(out, "\"votedPlayerIds\":[", ",");
        // In the export the list has lines of its own.
        sorted(sorted(out, "\"outliers\":[", "},"), "\"outliers\": [", "},")
    }

    fn word(&mut self, out: &mut String, word: &str, after: &str) {
        let is_number = word.starts_with(|c: char| c.is_ascii_digit());
        if word.len() < SHORT && !is_number && !out.ends_with("id\":\"") {
            out.push_str(word);
        } else if let Some(known) = self.numbers.get(word) {
            out.push_str(known);
        } else if word.starts_with("cr1.") {
            let name = self.number(word, "token").to_owned();
            out.push_str(&name);
        } else if is_uuid(word) {
            let name = self.number(word, "player").to_owned();
            out.push_str(&name);
        } else if let Some(kind) =
            ["sid", "pid"].into_iter().find(|kind| out.ends_with(&format!("\"{kind}\":\"")))
        {
            let name = self.number(word, kind).to_owned();
            out.push_str(&name);
        } else if out.ends_with("\"remainingMs\":") || out.ends_with("\"remainingTime\":") {
            out.push_str("<left>");
        } else if is_moment(word) {
            out.push_str("<ms>");
        } else if after == "\"]" && out.ends_with(",\"") && is_offset(word) {
            out.push_str("<offset>");
        } else if let Some((prefix, code)) = word.split_once('-')
            && let Some((code, suffix)) = code.split_once('.')
            && let Some(known) = self.numbers.get(code)
        {
            // `cardroom-CODE.csv`
            let _ = write!(out, "{prefix}-{known}.{suffix}");
        } else {
            out.push_str(word);
        }
    }
}

/// No id that has to be known is shorter.
const SHORT: usize = 8;

/// Letters of ids and numbers.
const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

fn is_uuid(word: &str) -> bool {
    word.len() == 36
        && word.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Milliseconds of these years.
fn is_moment(word: &str) -> bool {
    word.len() == 13 && word.starts_with('1') && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// A place in the log, with a random part: its number varies with facts that
/// nobody is told, such as a second socket that went away.
fn is_offset(word: &str) -> bool {
    word.contains('-') && word.bytes().all(|byte| byte.is_ascii_hexdigit() || b"-.".contains(&byte))
}

/// `2026-11-23T07:49:18.629Z`, with or without the fraction.
fn iso_length(word: &str, text: &str) -> Option<usize> {
    const SHAPE: &[u8] = b"dddd-dd-ddTdd:dd:dd";
    if word.len() != 13 || !word.starts_with("20") {
        return None;
    }
    let head = text.as_bytes().get(..SHAPE.len())?;
    let fits = SHAPE.iter().zip(head).all(|(shape, byte)| match shape {
        b'd' => byte.is_ascii_digit(),
        other => other == byte,
    });
    let rest = fits.then(|| &text[SHAPE.len()..])?;
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    rest[end..].starts_with('Z').then_some(SHAPE.len() + end + 1)
}

/// Lists that the server orders by ids, and ids are random.
fn sorted(line: String, name: &str, separator: &str) -> String {
    let mut out = String::new();
    let mut rest = line.as_str();
    while let Some((before, list)) = rest.split_once(name) {
        let Some((items, after)) = list.split_once(']') else { break };
        let mut items: Vec<&str> =
            items.split(separator).map(|item| item.trim().trim_end_matches('}').trim()).collect();
        items.sort_unstable();
        let _ = write!(out, "{before}{name}{}]", items.join(separator));
        rest = after;
    }
    if out.is_empty() { line } else { out + rest }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_times_are_replaced_and_nothing_else() {
        let mut names = Names::default();
        names.know("G4RTCWDRHR15C4N6", "session");
        names.know("NDP0ZJFF", "code");
        let line = r#"42["e",{"sessionId":"G4RTCWDRHR15C4N6","id":"2ceef226-01d8-4e70-9777-e725c175cced","at":"2026-11-23T07:49:18.629Z","serverTime":1795420158644,"value":"13","seq":9},"3-576d68d0aa7abcb8"]"#;
        let expected = r#"42["e",{"sessionId":"<session 1>","id":"<player 1>","at":"<iso>","serverTime":<ms>,"value":"13","seq":9},"<offset>"]"#;
        assert_eq!(names.canonical(line), expected);
        assert_eq!(names.canonical("x cardroom-NDP0ZJFF.csv"), "x cardroom-<code 1>.csv");
        assert_eq!(names.canonical(r#"0{"sid":"ab-c"}"#), r#"0{"sid":"<sid 1>"}"#);
        assert_eq!(names.canonical("2026-11-23T07:49:18Z"), "<iso>");
    }

    #[test]
    fn cards_are_left_alone() {
        let mut names = Names::default();
        for line in [r#"{"value":"☕","confidence":3}"#, r#"43["5","89"]"#, r#"42["e","1-2x"]"#] {
            assert_eq!(names.canonical(line), line);
        }
    }
}
