//! From the configuration to the numbers that each part is given. Only the
//! top reads the configuration; what is below takes small structs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tracing::warn;

use crate::api::client_event::EventName;
use crate::config::{self, Config};
use crate::connection::{AdmissionLimits, Options, PaceLimits};
use crate::http::RouterLimits;
use crate::hub::OutboxLimits;
use crate::identity::{Keyring, Origins};
use crate::limits::Limit;
use crate::poker::command::Reclaim;
use crate::poker::policy::Policy;
use crate::server::client_address::TrustedProxies;
use crate::server::drain::DrainPlan;
use crate::server::instance::StartError;
use crate::server::listener::ListenerLimits;
use crate::server::tls::{Tls, TlsFiles};
use crate::table::{RecoveryOptions, TableOptions};

pub(super) fn keyring(config: &Config) -> Result<Keyring, StartError> {
    let keys = &config.auth.token_keys;
    if keys.is_empty() {
        warn!("no auth.token_keys configured: player tokens end with this process");
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(StartError::Randomness)?;
        return Ok(Keyring::ephemeral(secret));
    }
    let keys = keys.iter().map(|key| (key.kid.clone(), key.secret.clone()));
    Ok(Keyring::new(keys)?)
}

pub(super) fn table_options(config: &Config, advertised_address: String) -> TableOptions {
    let session = &config.session;
    let limits = &config.limits;
    let rate_limits: BTreeMap<EventName, Limit> = config
        .rate_limits
        .iter()
        .filter_map(|(event, per_minute)| {
            Some((EventName::parse(event)?, Limit::per_minute(per_minute)))
        })
        .collect();
    let creates = rate_limits.get(&EventName::SessionCreate).copied();
    let defaults = TableOptions::default();
    TableOptions {
        policy: Policy {
            disconnect_grace_ms: session.disconnect_grace_ms,
            drain_grace_ms: session.drain_grace_ms,
            facilitator_grace_ms: session.facilitator_grace_ms,
            host_grace_ms: session.host_grace_ms,
            seat_kept_ms: session.seat_kept_minutes * 60_000,
            session_ttl_ms: session.ttl_ms,
            expiry_notice_ms: session.expiry_notice_ms,
            online_coalesce_ms: session.status_debounce_ms,
            away_coalesce_ms: session.away_debounce_ms,
            players_max: saturated(limits.players_per_session_max),
            stories_max: saturated(limits.stories_per_session_max),
            ..Policy::default()
        },
        reclaim: match config.auth.reclaim {
            config::Reclaim::Token => Reclaim::Token,
            config::Reclaim::Open => Reclaim::Open,
        },
        join_timeout: Duration::from_millis(session.join_timeout_ms),
        token_ttl_ms: config.auth.token_ttl_ms,
        tombstone_ttl_ms: session.tombstone_ttl_ms,
        creates: creates.unwrap_or(defaults.creates),
        creates_per_hour: Limit {
            attempts_max: saturated(limits.sessions_per_address_hour_max),
            window_ms: 3_600_000,
        },
        rate_limits,
        failed_joins: Limit {
            attempts_max: saturated(limits.failed_joins_max),
            window_ms: limits.failed_joins_window_seconds * 1_000,
        },
        failed_joins_in_all: Limit::per_minute(saturated(limits.failed_joins_per_minute_max)),
        rejected: Limit::per_minute(saturated(limits.rejected_events_max)),
        recovery: RecoveryOptions {
            window_ms: config.recovery.window_seconds * 1_000,
            // No more than may wait for a client in any case.
            replay_entries_max: config.engine.outbox_messages_max,
            replay_bytes_max: config.engine.outbox_bytes_max,
            ..defaults.recovery
        },
        advertised_address,
        task: Some(config.instances.task.clone()).filter(|task| !task.is_empty()),
        lease: Duration::from_millis(config.instances.lease_ms),
        renew: Duration::from_millis(config.instances.renew_ms),
        ..defaults
    }
}

pub(super) fn engine_options(config: &Config) -> Options {
    let engine = &config.engine;
    let allows = |transport| config.server.transports.contains(&transport);
    let origins = &config.server.origins;
    Options {
        ping_interval: Duration::from_millis(engine.ping_interval_ms),
        ping_timeout: Duration::from_millis(engine.ping_timeout_ms),
        connect_timeout: Duration::from_millis(engine.connect_timeout_ms),
        upgrade_timeout: Duration::from_millis(engine.upgrade_timeout_ms),
        close_timeout: Duration::from_millis(engine.close_timeout_ms),
        max_payload_bytes: saturated(engine.max_payload_bytes),
        fragments_max: saturated(engine.fragments_max),
        packets_per_post_max: saturated(engine.packets_per_post_max),
        body_timeout: Duration::from_millis(config.server.body_timeout_ms),
        write_stall_timeout: Duration::from_millis(config.server.write_stall_ms),
        attachments_max: saturated(engine.attachments_max),
        connections_max: saturated(config.server.connections_max),
        admission: admission_limits(config),
        allow_polling: allows(config::Transport::Polling),
        allow_websocket: allows(config::Transport::Websocket),
        outbox: OutboxLimits {
            messages_max: saturated(engine.outbox_messages_max),
            bytes_max: saturated(engine.outbox_bytes_max),
            crowded_bytes: saturated(engine.slow_bytes_max.min(engine.outbox_bytes_max / 2)),
        },
        pace: PaceLimits {
            bytes_max: engine.slow_bytes_max,
            timeout: Duration::from_millis(engine.slow_timeout_ms),
        },
        message_timeout: Duration::from_millis(engine.fragment_timeout_ms),
        idle_packets_max: engine.idle_packets_per_second_max,
        origins: Origins::new(origins),
        // The game reads none of them.
        headers_kept: Some(Vec::new()),
        ..Options::default()
    }
}

pub(super) fn drain_plan(config: &Config) -> DrainPlan {
    let server = &config.server;
    DrainPlan::new(
        Duration::from_secs(server.drain_seconds),
        Duration::from_millis(server.drain_notice_ms),
    )
}

fn admission_limits(config: &Config) -> AdmissionLimits {
    let limits = &config.limits;
    AdmissionLimits {
        per_address_max: saturated(limits.connections_per_address_max),
        per_second_max: saturated(limits.handshakes_per_second_max),
        per_address_per_second_max: saturated(limits.handshakes_per_address_per_second_max),
    }
}

pub(super) fn listener_limits(config: &Config) -> ListenerLimits {
    let server = &config.server;
    // The configuration has checked them: none is lost here.
    let proxies = server.trusted_proxies.iter().filter_map(|text| config::network(text));
    let connections_max = match server.tcp_connections_max {
        0 => server.connections_max + server.connections_max.div_ceil(2),
        configured => configured,
    };
    ListenerLimits {
        // Read by the top, as it may fail.
        tls: None,
        connections_max: saturated(connections_max),
        connections_per_address_max: saturated(config.limits.tcp_connections_per_address_max),
        trusted_proxies: TrustedProxies::new(proxies),
        takes_proxy_protocol: server.proxy_protocol == config::ProxyProtocol::V2,
        first_head_timeout: Duration::from_millis(server.header_timeout_ms),
        idle_timeout: Duration::from_millis(server.keep_alive_ms),
        headers_max: server.header_count_max,
        buffer_bytes_max: server.header_bytes_max,
        unacknowledged_timeout: Duration::from_millis(server.write_stall_ms),
        send_buffer_bytes: server.send_buffer_bytes,
        receive_buffer_bytes: server.receive_buffer_bytes,
        drain_timeout: drain_plan(config).finish(),
        ..ListenerLimits::default()
    }
}

/// The certificate, where there is one.
pub(super) fn tls(config: &Config) -> Result<Option<Arc<Tls>>, StartError> {
    let server = &config.server;
    let [certificate, key] = [&server.tls_certificate_file, &server.tls_key_file];
    match (certificate.is_empty(), key.is_empty()) {
        (true, true) => Ok(None),
        (false, false) => {
            let files = TlsFiles { certificate: certificate.into(), key: key.into() };
            Ok(Some(Arc::new(Tls::load(files)?)))
        }
        _ => Err(StartError::HalfTls),
    }
}

pub(super) fn router_limits(config: &Config) -> RouterLimits {
    let server = &config.server;
    RouterLimits {
        body_bytes_max: server.body_bytes_max,
        body_timeout: Duration::from_millis(server.body_timeout_ms),
        ..RouterLimits::default()
    }
}

/// The configuration has checked the ranges; this only narrows the type.
pub(super) fn saturated<T: TryFrom<usize> + Bounded>(value: usize) -> T {
    T::try_from(value).unwrap_or(T::MAX)
}

pub(super) trait Bounded {
    const MAX: Self;
}

impl Bounded for u16 {
    const MAX: Self = Self::MAX;
}

impl Bounded for u32 {
    const MAX: Self = Self::MAX;
}
