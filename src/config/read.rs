//! Reading: every source on top of the one before, every problem in one list.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use figment::error::Kind;
use figment::providers::{Format, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::config::arguments::Arguments;
use crate::config::sections::{
    AdminConfig, AuthConfig, Config, EngineConfig, InstancesConfig, LimitsConfig, LogConfig,
    MetricsConfig, PageConfig, ProxyProtocol, RateLimits, RecoveryConfig, RedisConfig,
    ServerConfig, SessionConfig,
};
use crate::config::table::Check;
use crate::config::write::value_text;
use crate::identity::origins::origin;
use crate::planted;

/// Everything that is wrong with the configuration.
#[derive(Debug, thiserror::Error)]
pub struct ConfigError(pub Vec<Problem>);

/// One thing that is wrong: which key, from where, and what it may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub key: String,
    /// As it was given; `None` when it is secret or could not be read.
    pub value: Option<String>,
    pub source: String,
    /// Completes "key = value: …".
    pub message: String,
}

impl Config {
    /// `environment` is every variable of the process; what is not ours is
    /// ignored.
    pub fn load(
        arguments: &Arguments,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let path = arguments.config.as_deref();
        let (figment, client_url) = sources(path, arguments, environment)?;
        let mut reader = Reader { figment, known: BTreeSet::new(), problems: Vec::new() };

        let mut config = Self {
            server: ServerConfig::read(&mut reader),
            engine: EngineConfig::read(&mut reader),
            session: SessionConfig::read(&mut reader),
            recovery: RecoveryConfig::read(&mut reader),
            limits: LimitsConfig::read(&mut reader),
            rate_limits: reader.rate_limits(),
            redis: RedisConfig::read(&mut reader),
            instances: InstancesConfig::read(&mut reader),
            auth: AuthConfig::read(&mut reader),
            page: PageConfig::read(&mut reader),
            log: LogConfig::read(&mut reader),
            metrics: MetricsConfig::read(&mut reader),
            admin: AdminConfig::read(&mut reader),
        };
        reader.unknown_keys();

        let origins = &mut config.server.origins;
        *origins = origins.iter().filter_map(|text| origin(text)).collect();
        for text in client_url.split(',').filter(|text| !text.trim().is_empty()) {
            match origin(text) {
                Some(origin) if origins.contains(&origin) => {}
                Some(origin) => origins.push(origin),
                None => reader.problems.push(Problem {
                    key: CLIENT_URL.to_owned(),
                    value: Some(format!("{text:?}")),
                    source: "environment".to_owned(),
                    message: "must be an origin such as https://poker.example.org".to_owned(),
                }),
            }
        }
        let server = &config.server;
        if server.proxy_protocol == ProxyProtocol::V2 && server.trusted_proxies.is_empty() {
            let message = "needs server.trusted_proxies: all others are refused".to_owned();
            let value = Some(value_text(&server.proxy_protocol));
            reader.problem("server.proxy_protocol".to_owned(), value, message);
        }
        if reader.problems.is_empty() { Ok(config) } else { Err(ConfigError(reader.problems)) }
    }
}

/// Later sources win, key by key. Also returns the value of CLIENT_URL.
fn sources(
    path: Option<&Path>,
    arguments: &Arguments,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<(Figment, String), ConfigError> {
    let unreadable = |source: String, message: String| {
        ConfigError(vec![Problem { key: "file".to_owned(), value: None, source, message }])
    };
    let file = path.unwrap_or_else(|| Path::new("cardroom.toml"));
    if path.is_some() && !file.is_file() {
        return Err(unreadable(file.display().to_string(), "there is no such file".to_owned()));
    }
    // The file that nobody named may be missing.
    let mut figment = match file.is_file() {
        true => Figment::from(Toml::file_exact(file)),
        false => Figment::new(),
    };
    if let Err(error) = figment.data_of_default() {
        return Err(unreadable(file.display().to_string(), without_excerpt(&error)));
    }

    let mut client_url = String::new();
    for (name, value) in environment {
        if name == planted::VARIABLE && cfg!(feature = "planted-bugs") {
            // Not a setting: for the judge's own test.
        } else if name == CLIENT_URL {
            client_url = value;
        } else if let Some(key) = name.strip_prefix("CARDROOM_").filter(|key| !is_kubernetes(key)) {
            let key = key.replace("__", ".").to_ascii_lowercase();
            figment = figment.merge(Setting::parsed(name, key, &value));
        }
    }

    let given = |key: &str, value: String| Setting {
        source: "command line".to_owned(),
        key: key.to_owned(),
        value: value.into(),
    };
    for (key, value) in &arguments.set {
        figment = figment.merge(Setting::parsed("command line".to_owned(), key.clone(), value));
    }
    if let Some(listen) = arguments.listen {
        figment = figment.merge(given("server.listen", listen.to_string()));
    }
    if let Some(level) = &arguments.log_level {
        figment = figment.merge(given("log.level", level.clone()));
    }
    if let Some(format) = arguments.log_format {
        let name = format!("{format:?}").to_ascii_lowercase();
        figment = figment.merge(given("log.format", name));
    }
    Ok((figment, client_url))
}

/// The parser quotes the line it stumbled over, which may hold a secret: keep
/// where it was and what was wrong.
fn without_excerpt(error: &str) -> String {
    let mut lines = error.lines();
    let place = lines.next().unwrap_or_default();
    match lines.last() {
        Some(what) => format!("{place}: {what}"),
        None => place.to_owned(),
    }
}

/// A cluster gives every container CARDROOM_SERVICE_HOST, CARDROOM_PORT and
/// more when a service has our name: those are not settings.
fn is_kubernetes(key: &str) -> bool {
    key.starts_with("SERVICE_") || key == "PORT" || key.starts_with("PORT_")
}

const CLIENT_URL: &str = "CLIENT_URL";

/// One key from the environment or the command line.
struct Setting {
    source: String,
    key: String,
    value: Value,
}

impl Setting {
    /// `5`, `true` and `["a", "b"]` are what they look like; anything else is
    /// a string.
    fn parsed(source: String, key: String, value: &str) -> Self {
        let parsed: Result<Value, _> = value.parse();
        let Ok(value) = parsed;
        Self { source, key, value }
    }
}

impl Provider for Setting {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.source.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let nested = figment::util::nest(&self.key, self.value.clone());
        Ok(Profile::Default.collect(nested.into_dict().unwrap_or_default()))
    }
}

/// Hands out values by key and collects what is wrong with them.
pub(super) struct Reader {
    figment: Figment,
    known: BTreeSet<String>,
    problems: Vec<Problem>,
}

impl Reader {
    /// The value of `section.field`; the default when it is not set or wrong.
    pub(super) fn value<T: DeserializeOwned + Serialize>(
        &mut self,
        section: &str,
        field: &str,
        default: T,
        check: &impl Check<T>,
    ) -> T {
        let key = format!("{section}.{field}");
        self.known.insert(key.clone());
        if !self.figment.contains(&key) {
            return default;
        }
        let (value, message) = match self.figment.extract_inner::<T>(&key) {
            Ok(value) => match check.check(&value) {
                Ok(()) => return value,
                Err(message) => (Some(value_text(&value)), message),
            },
            Err(_) if check.is_secret() => {
                (None, "cannot be read (see the example file)".to_owned())
            }
            Err(error) => (None, type_error(&error, check.range())),
        };
        let value = value.filter(|_| !check.is_secret());
        self.problem(key, value, message);
        default
    }

    fn rate_limits(&mut self) -> RateLimits {
        let mut limits = RateLimits::default();
        for (event, limit) in &mut limits.0 {
            *limit = self.value(RateLimits::KEY, event, *limit, &RateLimits::check());
        }
        limits
    }

    fn unknown_keys(&mut self) {
        let sections: BTreeSet<&str> =
            self.known.iter().filter_map(|key| key.split('.').next()).collect();
        let data = self.figment.data_of_default().unwrap_or_default();
        let mut unknown = Vec::new();
        for (section, value) in &data {
            match value.as_dict() {
                Some(fields) if sections.contains(section.as_str()) => {
                    let keys = fields.keys().map(|field| format!("{section}.{field}"));
                    unknown.extend(keys.filter(|key| !self.known.contains(key)));
                }
                _ => unknown.push(section.clone()),
            }
        }
        for key in unknown {
            self.problem(key, None, "is not a setting".to_owned());
        }
    }

    fn problem(&mut self, key: String, value: Option<String>, message: String) {
        let metadata = self.figment.find_metadata(&key);
        let source = metadata.map_or_else(String::new, |metadata| match &metadata.source {
            Some(source) => source.to_string(),
            None => metadata.name.to_string(),
        });
        self.problems.push(Problem { key, value, source, message });
    }
}

trait DefaultData {
    fn data_of_default(&self) -> Result<Dict, String>;
}

impl DefaultData for Figment {
    /// All keys that were given; an error when a file is not TOML.
    fn data_of_default(&self) -> Result<Dict, String> {
        let mut data = self.data().map_err(|error| error.to_string())?;
        Ok(data.remove(&Profile::Default).unwrap_or_default())
    }
}

fn type_error(error: &figment::Error, range: Option<String>) -> String {
    match (&error.kind, range) {
        (Kind::InvalidType(found, _) | Kind::InvalidValue(found, _), Some(range)) => {
            format!("must be from {range}, found {found}")
        }
        (Kind::InvalidType(found, expected) | Kind::InvalidValue(found, expected), None) => {
            format!("must be {expected}, found {found}")
        }
        (Kind::UnknownVariant(found, words), _) => {
            format!("must be one of {}, found {found:?}", words.join(", "))
        }
        (kind, _) => kind.to_string(),
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(problems) = self;
        let plural = if problems.len() == 1 { "" } else { "s" };
        write!(f, "{} problem{plural} in the configuration", problems.len())?;
        problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)?;
        if let Some(value) = &self.value {
            write!(f, " = {value}")?;
        }
        write!(f, ": {} ({})", self.message, self.source)
    }
}
