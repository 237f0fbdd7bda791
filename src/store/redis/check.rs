//! What Redis has to be before a session is trusted to it.

use redis::{RedisError, Value, cmd};
use thiserror::Error;

use crate::store::contract::StoreError;
use crate::store::redis::link::Link;

/// Sharded pub/sub, and time in scripts.
const VERSION_MIN: u32 = 7;

/// Why the store in Redis cannot be used.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// The URL is not shown: it may hold a password.
    #[error("redis.url cannot be read: expected redis://[user:password@]host:port[/database]")]
    Url(#[source] RedisError),
    #[error("Redis: {0}")]
    Unreachable(#[from] StoreError),
    #[error("Redis has version {found}; {VERSION_MIN} or newer is needed")]
    TooOld { found: String },
    #[error(
        "Redis has maxmemory-policy {found}, which throws sessions away when memory runs out; \
         set it to noeviction"
    )]
    Evicts { found: String },
}

pub(super) async fn check(link: &Link) -> Result<(), ConnectError> {
    // Two sections in two calls: services that forbid CONFIG allow INFO.
    let server = info(link, "server").await?;
    let version = field(&server, "redis_version").unwrap_or_default();
    if !is_new_enough(version) {
        return Err(ConnectError::TooOld { found: version.to_owned() });
    }
    let memory = info(link, "memory").await?;
    match field(&memory, "maxmemory_policy") {
        Some("noeviction") | None => Ok(()),
        Some(found) => Err(ConnectError::Evicts { found: found.to_owned() }),
    }
}

async fn info(link: &Link, section: &'static str) -> Result<String, StoreError> {
    match link.command("INFO", cmd("INFO").arg(section)).await? {
        Value::BulkString(text) => Ok(String::from_utf8_lossy(&text).into_owned()),
        Value::VerbatimString { text, .. } => Ok(text),
        _ => Ok(String::new()),
    }
}

fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    let lines = info.lines().filter_map(|line| line.split_once(':'));
    lines.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value.trim())
}

fn is_new_enough(version: &str) -> bool {
    let major = version.split('.').next().unwrap_or_default();
    major.parse::<u32>().is_ok_and(|major| VERSION_MIN <= major)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_info_says() {
        let text = "# Server\r\nredis_version:7.0.15\r\nos:Linux\r\n";
        assert_eq!(field(text, "redis_version"), Some("7.0.15"));
        assert_eq!(field(text, "maxmemory_policy"), None);
        assert!(is_new_enough("7.0.15") && is_new_enough("10.1") && !is_new_enough("6.2.9"));
        assert!(!is_new_enough(""));
    }
}
