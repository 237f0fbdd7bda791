//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::config::sections::LogFormat;

/// A realtime planning-poker server for unmodified Socket.IO clients.
#[derive(Debug, Clone, Default, Parser)]
#[command(name = "cardroom", version)]
pub struct Arguments {
    /// Configuration file; without it `cardroom.toml` is read when there is one.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Where to listen (server.listen).
    #[arg(long, value_name = "ADDR:PORT")]
    pub listen: Option<SocketAddr>,

    /// What to log: a level or directives (log.level).
    #[arg(long, value_name = "FILTER")]
    pub log_level: Option<String>,

    /// How to log (log.format).
    #[arg(long, value_enum)]
    pub log_format: Option<LogFormat>,

    /// Any other setting, e.g. --set engine.ping_interval_ms=5000; repeatable.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    pub set: Vec<(String, String)>,

    /// Print the effective configuration as TOML, secrets redacted, and end.
    #[arg(long)]
    pub print_config: bool,

    /// Without one, serve.
    #[command(subcommand)]
    pub action: Option<Action>,
}

/// What else the program does.
#[derive(Debug, Clone, Subcommand)]
pub enum Action {
    /// Ask a running instance whether it lives: 200 is status 0, anything else 1.
    Healthcheck {
        /// http://host:port/path; without it, /healthz of the instance that
        /// this configuration is for.
        url: Option<String>,
    },
}

fn key_value(text: &str) -> Result<(String, String), &'static str> {
    let pair = text.split_once('=').filter(|(key, _)| key.contains('.'));
    let (key, value) = pair.ok_or("expected section.key=value")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}
