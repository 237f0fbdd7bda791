//! What a function finds in its environment.
//!
//! Plain settings have the names that they have for the server. A secret `X` is
//! either there itself or, as `SECRET_ARN_X`, by reference; then it is read
//! when it is needed (see [`crate::secrets`]).

use std::collections::BTreeMap;
use std::time::Duration;

use cardroom::identity::Origins;
use cardroom::identity::origins::origin;
use figment::value::Value;
use serde::de::DeserializeOwned;

/// In front of the name of a setting: where its value is.
pub const REFERENCE: &str = "SECRET_ARN_";

pub const KEY_PREFIX: &str = "CARDROOM_REDIS__KEY_PREFIX";
pub const LOG_FORMAT: &str = "CARDROOM_LOG__FORMAT";
pub const LOG_LEVEL: &str = "CARDROOM_LOG__LEVEL";
pub const ORIGINS: &str = "CARDROOM_SERVER__ORIGINS";
pub const REDIS_COMMAND_TIMEOUT_MS: &str = "CARDROOM_REDIS__COMMAND_TIMEOUT_MS";
pub const REDIS_CONNECT_TIMEOUT_MS: &str = "CARDROOM_REDIS__CONNECT_TIMEOUT_MS";
pub const REDIS_URL: &str = "CARDROOM_REDIS__URL";
pub const TOKEN_KEYS: &str = "CARDROOM_AUTH__TOKEN_KEYS";

/// Plain settings that every function reads.
const COMMON: [&str; 4] = [KEY_PREFIX, LOG_FORMAT, LOG_LEVEL, ORIGINS];

/// What one function reads beside the settings that all read.
#[derive(Debug, Clone, Copy)]
pub struct Reads {
    pub plain: &'static [&'static str],
    pub secret: &'static [&'static str],
}

impl Reads {
    /// The names that a deployment gives, one a line, for `--print-environment`.
    pub fn printed(&self) -> String {
        let plain = COMMON.iter().chain(self.plain).map(|name| format!("{name}\n"));
        let secret = self.secret.iter().map(|name| format!("{REFERENCE}{name}\n"));
        plain.chain(secret).collect()
    }
}

/// The variables of the process.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
}

/// A setting that cannot be used. Its value is not shown.
#[derive(Debug, thiserror::Error)]
#[error("{name} {problem}")]
pub struct BadSetting {
    name: &'static str,
    problem: &'static str,
}

impl Environment {
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self { variables: std::env::vars_os().filter_map(text).collect() }
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Which pages may ask; those of the function's own host where nothing is
    /// said.
    pub fn origins(&self) -> Result<Origins, BadSetting> {
        let given = self.get(ORIGINS).unwrap_or("[]");
        let bad = BadSetting { name: ORIGINS, problem: "is no list of origins" };
        let Some(list) = parse::<Vec<String>>(given) else { return Err(bad) };
        let list: Option<Vec<String>> = list.iter().map(|text| origin(text)).collect();
        list.map(|list| Origins::new(&list)).ok_or(bad)
    }

    /// A time in whole milliseconds, `default` where nothing is said.
    pub fn milliseconds(
        &self,
        name: &'static str,
        default: Duration,
    ) -> Result<Duration, BadSetting> {
        let Some(given) = self.get(name) else { return Ok(default) };
        let given = given.parse().ok().filter(|ms| (1..=60_000).contains(ms));
        let bad = BadSetting { name, problem: "is no number of milliseconds from 1 to 60000" };
        given.map(Duration::from_millis).ok_or(bad)
    }
}

/// A value as the server reads it from its environment: `["a", "b"]`,
/// `[{kid = "a", secret = "…"}]`.
pub fn parse<T: DeserializeOwned>(text: &str) -> Option<T> {
    let parsed: Result<Value, _> = text.parse();
    let Ok(value) = parsed;
    value.deserialize().ok()
}

#[cfg(test)]
impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(pairs: [(&str, &str); N]) -> Self {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self { variables: pairs.into_iter().map(owned).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_named_by_reference() {
        let reads = Reads { plain: &["METRICS_SERVICE"], secret: &[REDIS_URL] };
        let printed = reads.printed();
        assert_eq!(printed.lines().count(), 6);
        assert!(printed.contains("\nSECRET_ARN_CARDROOM_REDIS__URL\n"), "{printed}");
        assert!(!printed.contains("\nCARDROOM_REDIS__URL\n"), "{printed}");
    }

    #[test]
    fn times_are_milliseconds() {
        let default = Duration::from_millis(200);
        let time = |text: &str| {
            Environment::from([(REDIS_COMMAND_TIMEOUT_MS, text)])
                .milliseconds(REDIS_COMMAND_TIMEOUT_MS, default)
        };
        assert_eq!(time("").ok(), Some(default));
        assert_eq!(time("1500").ok(), Some(Duration::from_millis(1_500)));
        for text in ["0", "60001", "-1", "1s", "0.5"] {
            let error = time(text).expect_err("no time").to_string();
            let named = "CARDROOM_REDIS__COMMAND_TIMEOUT_MS is no number of milliseconds";
            assert!(error.starts_with(named), "{error}");
        }
    }

    #[test]
    fn origins_are_read_as_the_server_reads_them() {
        let origins = |text: &str| Environment::from([(ORIGINS, text)]).origins();
        let expected = Origins::Listed(vec!["https://poker.example.org".to_owned()]);
        assert_eq!(origins(r#"["https://Poker.example.org/"]"#).ok(), Some(expected));
        assert_eq!(origins(r#"["*"]"#).ok(), Some(Origins::Any));
        assert_eq!(Environment::default().origins().ok(), Some(Origins::Listed(Vec::new())));
        let error = origins(r#"["poker"]"#).expect_err("no origin").to_string();
        assert_eq!(error, "CARDROOM_SERVER__ORIGINS is no list of origins");
    }
}
