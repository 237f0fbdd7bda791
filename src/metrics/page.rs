//! The text that Prometheus reads: its own format 0.0.4, or OpenMetrics 1.0.

use std::fmt::{Display, Write as _};

/// A page under way: a family, then its samples, then the next family.
#[derive(Debug)]
pub struct Page {
    text: String,
    format: Format,
    /// The family whose samples follow.
    family: &'static str,
    /// What the names of its samples end with.
    suffix: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// <https://prometheus.io/docs/instrumenting/exposition_formats/>
    Text,
    /// <https://prometheus.io/docs/specs/om/open_metrics_spec/>
    OpenMetrics,
}

impl Format {
    /// What a scraper asks for; whoever asks for nothing reads text.
    pub fn accepted(accept: &str) -> Self {
        let mut types = accept.split(',').filter_map(|range| range.split(';').next());
        if types.any(|name| name.trim().eq_ignore_ascii_case("application/openmetrics-text")) {
            Self::OpenMetrics
        } else {
            Self::Text
        }
    }

    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

impl Page {
    pub fn new(format: Format) -> Self {
        Self { text: String::with_capacity(32 * 1_024), format, family: "", suffix: "" }
    }

    /// A family of counters, by its name without `_total`.
    pub fn counter(&mut self, name: &'static str, help: &str) {
        // Where the suffix belongs is what the two formats disagree on.
        let suffix = match self.format {
            Format::Text => "_total",
            Format::OpenMetrics => "",
        };
        self.begin(name, suffix, "counter", help);
        self.suffix = "_total";
    }

    pub fn gauge(&mut self, name: &'static str, help: &str) {
        self.begin(name, "", "gauge", help);
    }

    pub fn histogram(&mut self, name: &'static str, help: &str) {
        self.begin(name, "", "histogram", help);
    }

    /// One sample of the family.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) {
        self.part(self.suffix, labels, value);
    }

    /// One sample of the family under its name and `suffix`.
    pub fn part(&mut self, suffix: &str, labels: &[(&str, &str)], value: impl Display) {
        self.text.push_str(self.family);
        self.text.push_str(suffix);
        for (index, (name, content)) in labels.iter().enumerate() {
            self.text.push(if index == 0 { '{' } else { ',' });
            self.text.push_str(name);
            self.text.push_str("=\"");
            content.chars().for_each(|c| self.escaped(c));
            self.text.push('"');
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        // Writing to a String does not fail.
        let _ = writeln!(self.text, " {value}");
    }

    pub fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }

    fn begin(&mut self, name: &'static str, suffix: &str, kind: &str, help: &str) {
        (self.family, self.suffix) = (name, "");
        let _ = writeln!(self.text, "# HELP {name}{suffix} {help}");
        let _ = writeln!(self.text, "# TYPE {name}{suffix} {kind}");
    }

    fn escaped(&mut self, c: char) {
        match c {
            '\\' => self.text.push_str("\\\\"),
            '"' => self.text.push_str("\\\""),
            '\n' => self.text.push_str("\\n"),
            c => self.text.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(format: Format) -> String {
        let mut page = Page::new(format);
        page.counter("events", "Events");
        page.sample(&[("event", "vote:submit"), ("outcome", "a\"b\\c\n")], 3);
        page.gauge("sockets", "Sockets");
        page.sample(&[], 0);
        page.finish()
    }

    #[test]
    fn the_text_of_prometheus() {
        let expected = "# HELP events_total Events\n\
            # TYPE events_total counter\n\
            events_total{event=\"vote:submit\",outcome=\"a\\\"b\\\\c\\n\"} 3\n\
            # HELP sockets Sockets\n\
            # TYPE sockets gauge\n\
            sockets 0\n";
        assert_eq!(page(Format::Text), expected);
    }

    #[test]
    fn open_metrics_names_its_families_otherwise_and_says_where_it_ends() {
        let text = page(Format::OpenMetrics);
        assert!(text.contains("# TYPE events counter\nevents_total{"), "{text}");
        assert!(text.ends_with("\n# EOF\n"), "{text}");
    }

    #[test]
    fn a_scraper_gets_what_it_asks_for() {
        let asked = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.2";
        assert_eq!(Format::accepted(asked), Format::OpenMetrics);
        assert_eq!(Format::accepted("text/plain;version=0.0.4"), Format::Text);
        assert_eq!(Format::accepted(""), Format::Text);
    }
}
