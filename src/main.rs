//! The `cardroom` server.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser as _;
use tracing::{error, info, warn};

use cardroom::config::{Action, Arguments, Config, LogFormat};
use cardroom::poker::ids::InstanceId;
use cardroom::server::{self, Ended, Instance, ecs, open_store};
use cardroom::shutdown::Shutdown;
use cardroom::table::draw_instance_id;
use cardroom::telemetry::{self, Spans};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut config = match Config::load(&arguments, std::env::vars()) {
        Ok(config) => config,
        Err(error) => return complain(&error.to_string()),
    };
    if arguments.print_config {
        return print(&config.to_toml());
    }
    if let Some(Action::Healthcheck { url }) = &arguments.action {
        let url = url.clone().unwrap_or_else(|| server::own_url(&config));
        return match server::probe(&url) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => complain(&error.to_string()),
        };
    }
    let id = draw_instance_id();
    let spans = match Spans::open(&config.log.otlp_endpoint, &id.to_string()) {
        Ok(spans) => spans,
        Err(error) => return complain(&error.to_string()),
    };
    let telemetry = match config.log.format {
        LogFormat::Text => telemetry::init_text(&config.log.level, spans.as_ref()),
        LogFormat::Json => telemetry::init_json(&config.log.level, spans.as_ref()),
    };
    if let Err(error) = telemetry {
        return complain(&error.to_string());
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&format!("failed to start the runtime: {error}")),
    };
    let status = runtime.block_on(async {
        if config.instances.task.is_empty() {
            config.instances.task = ecs::task_arn().await.unwrap_or_default();
        }
        run(&config, id).await
    });
    // The spans of what is dropped now end with it.
    drop(runtime);
    if let Some(spans) = spans {
        spans.end();
    }
    status
}

async fn run(config: &Config, id: InstanceId) -> ExitCode {
    let (instance, address, shutdown) = match start(config, id).await {
        Ok(started) => started,
        Err(error) => {
            error!(%error, "not started");
            return ExitCode::FAILURE;
        }
    };
    info!(%address, "listening");
    let _ = print(&format!("cardroom listens on {}://{address}\n", instance.scheme()));
    let ended = instance.run(shutdown).await;
    if ended.is_clean() {
        info!("ended");
        return ExitCode::SUCCESS;
    }
    let Ended { connections_left, is_saved } = ended;
    warn!(connections_left, is_saved, "ended, and not all was done");
    ExitCode::from(INCOMPLETE)
}

/// The status of an end at which connections had to be dropped, or the store
/// could not be told.
const INCOMPLETE: u8 = 3;

async fn start(
    config: &Config,
    id: InstanceId,
) -> Result<(Instance, SocketAddr, Shutdown), String> {
    let shutdown = Shutdown::on_signals().map_err(|error| error.to_string())?;
    // "Reload", and never the end, whether or not there is something to read again.
    #[cfg(unix)]
    let _ = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup());
    let stores = open_store(config).await.map_err(|error| error.to_string())?;
    let instance =
        Instance::start_as(Some(id), config, stores).map_err(|error| error.to_string())?;
    let address = instance.address().map_err(|error| error.to_string())?;
    Ok((instance, address, shutdown))
}

/// To standard output, for people and scripts; the log goes elsewhere.
fn print(text: &str) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read the pipe has gone.
        Err(_) => ExitCode::FAILURE,
    }
}

fn complain(problem: &str) -> ExitCode {
    // If even standard error is closed, the exit code has to do.
    let _ = writeln!(std::io::stderr(), "cardroom: {problem}");
    ExitCode::FAILURE
}
