//! What every Redis has to be before a session is trusted to it.

use redis::cmd;
use thiserror::Error;
use tracing::warn;

use crate::store::contract::StoreError;
use crate::store::redis::link::{Link, LinkError, Node, text_field};

/// Sharded pub/sub, and time in scripts.
const VERSION_MIN: u32 = 7;

/// Why the store in Redis cannot be used.
#[derive(Debug, Error)]
pub enum ConnectError {
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error("redis.tls_ca_file cannot be read: {0}")]
    Certificates(std::io::Error),
    #[error("Redis: {0}")]
    Unreachable(#[from] StoreError),
    #[error("Redis at {node} has version {found}; {VERSION_MIN} or newer is needed")]
    TooOld { node: String, found: String },
    #[error(
        "Redis at {node} has maxmemory-policy {found}, which throws sessions away when memory \
         runs out; set it to noeviction"
    )]
    Evicts { node: String, found: String },
}

/// Primaries must answer; a replica that does not is only said.
pub(super) async fn check(link: &Link) -> Result<(), ConnectError> {
    for node in link.primaries()? {
        check_node(&node).await?;
    }
    for node in link.replicas().await? {
        match check_node(&node).await {
            Err(ConnectError::Unreachable(error)) => {
                warn!(redis.node = %node.address(), %error, "redis: a replica does not answer");
            }
            result => result?,
        }
    }
    Ok(())
}

async fn check_node(node: &Node) -> Result<(), ConnectError> {
    let name = || node.address().to_string();
    // Two sections in two calls: services that forbid CONFIG allow INFO.
    let server = node.ask("INFO", cmd("INFO").arg("server")).await?;
    let found = text_field(&server, "redis_version").unwrap_or_default();
    if !is_new_enough(&found) {
        return Err(ConnectError::TooOld { node: name(), found });
    }
    let memory = node.ask("INFO", cmd("INFO").arg("memory")).await?;
    match text_field(&memory, "maxmemory_policy") {
        Some(found) if found != "noeviction" => Err(ConnectError::Evicts { node: name(), found }),
        _ => Ok(()),
    }
}

fn is_new_enough(version: &str) -> bool {
    let major = version.split('.').next().unwrap_or_default();
    major.parse::<u32>().is_ok_and(|major| VERSION_MIN <= major)
}

#[cfg(test)]
mod tests {
    use redis::Value;

    use super::*;

    #[test]
    fn reads_what_info_says() {
        let text = "# Server\r\nredis_version:7.0.15\r\nos:Linux\r\n";
        let info = Value::BulkString(text.as_bytes().to_vec());
        assert_eq!(text_field(&info, "redis_version").as_deref(), Some("7.0.15"));
        assert_eq!(text_field(&info, "maxmemory_policy"), None);
        assert!(is_new_enough("7.0.15") && is_new_enough("10.1") && !is_new_enough("6.2.9"));
        assert!(!is_new_enough(""));
    }
}
