//! How a server is connected to, wherever it listens.

use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig, MultiplexedConnection};
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, ProtocolVersion, PushInfo,
    RedisError, TlsCertificates,
};

use crate::store::contract::StoreError;
use crate::store::redis::link::endpoint::Address;
use crate::store::redis::link::{store_error, within};

/// Attempts to connect that one command may wait for, and what lies between
/// them at the most; the time-out of the command ends the waiting anyway.
const RECONNECTS_MAX: usize = 4;
const RECONNECT_DELAY_MIN: Duration = Duration::from_millis(20);
const RECONNECT_DELAY_MAX: Duration = Duration::from_millis(200);

/// User, password, TLS and patience; everything but the address.
#[derive(Clone)]
pub(crate) struct Dial {
    info: ConnectionInfo,
    patience: Patience,
}

/// How long is waited for what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    pub(crate) connect: Duration,
    /// From a command that was sent to its reply.
    pub(crate) reply: Duration,
    /// For a call, connecting and repetitions included.
    pub(crate) call: Duration,
}

impl Dial {
    /// `ca` are root certificates in PEM, instead of the system's.
    pub(super) fn new(
        info: ConnectionInfo,
        ca: Option<Vec<u8>>,
        patience: Patience,
    ) -> Result<Self, RedisError> {
        let info = match (&ca, info.addr()) {
            (Some(_), ConnectionAddr::TcpTls { .. }) => {
                let certificates = TlsCertificates { client_tls: None, root_cert: ca };
                Client::build_with_tls(info, certificates)?.get_connection_info().clone()
            }
            _ => info,
        };
        Ok(Self { info, patience })
    }

    /// The same, as somebody else.
    pub(super) fn with_login(&self, user: Option<&str>, password: Option<&str>) -> Self {
        let mut settings = redis::RedisConnectionInfo::default();
        if let Some(user) = user {
            settings = settings.set_username(user);
        }
        if let Some(password) = password {
            settings = settings.set_password(password);
        }
        Self { info: self.info.clone().set_redis_settings(settings), ..self.clone() }
    }

    pub(super) const fn command_timeout(&self) -> Duration {
        self.patience.call
    }

    /// A connection that comes back by itself; made when it is first used.
    pub(super) fn manager(&self, address: &Address) -> Result<ConnectionManager, StoreError> {
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(RECONNECTS_MAX)
            .set_min_delay(RECONNECT_DELAY_MIN)
            .set_max_delay(RECONNECT_DELAY_MAX)
            .set_connection_timeout(Some(self.patience.connect))
            .set_response_timeout(Some(self.patience.reply));
        let client = self.client(address, ProtocolVersion::RESP2)?;
        ConnectionManager::new_lazy_with_config(client, config)
            .map_err(|e| store_error("connect", &e))
    }

    /// A connection of its own, which does not come back.
    pub(crate) async fn connect(
        &self,
        address: &Address,
        limit: Duration,
    ) -> Result<MultiplexedConnection, StoreError> {
        let client = self.client(address, ProtocolVersion::RESP2)?;
        let config = self.config(limit);
        let connecting = client.get_multiplexed_async_connection_with_config(&config);
        within(self.patience.connect, "connect", connecting).await
    }

    /// One that says what it is not asked for, too.
    pub(crate) async fn connect_for_pushes(
        &self,
        address: &Address,
        limit: Duration,
        pushes: impl Fn(PushInfo) -> Result<(), ()> + Send + Sync + 'static,
    ) -> Result<MultiplexedConnection, StoreError> {
        let client = self.client(address, ProtocolVersion::RESP3)?;
        let config = self.config(limit).set_push_sender(pushes);
        let connecting = client.get_multiplexed_async_connection_with_config(&config);
        within(self.patience.connect.min(limit), "connect for pub/sub", connecting).await
    }

    fn config(&self, limit: Duration) -> AsyncConnectionConfig {
        AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.patience.connect))
            .set_response_timeout(Some(limit))
    }

    fn client(&self, address: &Address, protocol: ProtocolVersion) -> Result<Client, StoreError> {
        let Address { host, port } = address.clone();
        let place = match self.info.addr() {
            ConnectionAddr::TcpTls { insecure, tls_params, .. } => ConnectionAddr::TcpTls {
                host,
                port,
                insecure: *insecure,
                tls_params: tls_params.clone(),
            },
            _ => ConnectionAddr::Tcp(host, port),
        };
        let settings = self.info.redis_settings().clone().set_protocol(protocol);
        let info = self.info.clone().set_addr(place).set_redis_settings(settings);
        Client::open(info).map_err(|e| store_error("connect", &e))
    }
}
