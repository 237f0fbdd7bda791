//! Writing: the effective configuration, and the example file.

use serde::Serialize;

use crate::config::sections::{Config, RateLimits};
use crate::config::table::Check;

impl Config {
    /// The effective values as TOML; secrets are redacted.
    pub fn to_toml(&self) -> String {
        self.page(false)
    }

    /// All defaults with what they are for: `cardroom.example.toml`.
    pub fn example() -> String {
        let head = "# Everything that can be set, with its default. Copy what you change to\n\
                    # cardroom.toml. Stronger: CARDROOM_ENGINE__PING_INTERVAL_MS=5000 in the\n\
                    # environment, then --set engine.ping_interval_ms=5000 on the command line.\n\n";
        head.to_owned() + &Self::default().page(true)
    }

    fn page(&self, explained: bool) -> String {
        let mut page = Page { text: String::new(), explained };
        self.server.write(&mut page);
        self.engine.write(&mut page);
        self.session.write(&mut page);
        self.recovery.write(&mut page);
        self.limits.write(&mut page);
        page.section(
            RateLimits::KEY,
            &[
                " Attempts in any 60 s by client event: per seat, or per address",
                " before a join. From 1 to 100000.",
            ],
        );
        for (event, limit) in self.rate_limits.iter() {
            page.line(event, &limit);
        }
        self.redis.write(&mut page);
        self.instances.write(&mut page);
        self.auth.write(&mut page);
        self.page.write(&mut page);
        self.log.write(&mut page);
        self.metrics.write(&mut page);
        self.admin.write(&mut page);
        page.text
    }
}

pub(super) struct Page {
    text: String,
    explained: bool,
}

impl Page {
    pub(super) fn section(&mut self, key: &str, about: &[&str]) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.explain(about);
        self.text.push_str(&format!("[{key}]\n"));
    }

    pub(super) fn value<T: Serialize>(
        &mut self,
        field: &str,
        value: &T,
        about: &[&str],
        check: &impl Check<T>,
    ) {
        self.explain(about);
        if let Some(range) = check.range() {
            self.explain(&[&format!(" From {range}.")]);
        }
        self.line(field, value);
    }

    fn line<T: Serialize>(&mut self, field: &str, value: &T) {
        let bare = field.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let key = if bare { field.to_owned() } else { format!("{field:?}") };
        self.text.push_str(&format!("{key} = {}\n", value_text(value)));
    }

    fn explain(&mut self, lines: &[&str]) {
        for line in lines.iter().filter(|_| self.explained) {
            self.text.push_str(&format!("#{line}\n"));
        }
    }
}

/// A value as TOML writes it in one line.
pub(super) fn value_text<T: Serialize>(value: &T) -> String {
    toml::Value::try_from(value).map_or_else(|error| error.to_string(), |value| value.to_string())
}
