//! Several instances in one process, each with its own connections, that know
//! each other from a table in memory.

use std::collections::HashMap;
use std::future::pending;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt, ready};
use tokio::net::TcpListener;

use cardroom::connection::{Connections, Options};
use cardroom::protocol::sid::{Issuer, Owner};
use cardroom::server::{self, ListenerLimits};
use cardroom::transport::engineio;
use cardroom::transport::relay::{Owners, OwnersUnavailable, Relay, RelayLimits};

use crate::conformance::engineio::upper;

pub(crate) const SECRET: &[u8] = b"what the instances of a test share";

pub(crate) struct House {
    pub(crate) addresses: Arc<AddressBook>,
    pub(crate) instances: Vec<Instance>,
}

/// The echo on Engine.IO, one instance of several.
pub(crate) struct Instance {
    pub(crate) server: SocketAddr,
    pub(crate) relay: Relay,
}

impl House {
    pub(crate) fn open(options: &Options) -> Self {
        Self::open_with(options, &limits())
    }

    pub(crate) fn open_with(options: &Options, limits: &RelayLimits) -> Self {
        Self::open_behind(options, limits, &ListenerLimits::default())
    }

    /// Behind listeners with these limits.
    pub(crate) fn open_behind(
        options: &Options,
        limits: &RelayLimits,
        listener_limits: &ListenerLimits,
    ) -> Self {
        let addresses = Arc::new(AddressBook::default());
        let open = |number| {
            let owner = Owner(number);
            let issuer = Issuer::new(owner, SECRET);
            let connections = Connections::with_issuer(options.clone(), upper(), issuer);
            let relay =
                Relay::new(owner, SECRET, Arc::clone(&addresses) as Arc<dyn Owners>, limits);
            let listener = server::bind((Ipv4Addr::LOCALHOST, 0).into(), 64).expect("a free port");
            let server = listener.local_addr().expect("listener is bound");
            addresses.put(owner, server);
            tokio::spawn(serve(listener, connections, relay.clone(), listener_limits.clone()));
            Instance { server, relay }
        };
        let instances = (1..=3).map(open).collect();
        Self { addresses, instances }
    }
}

async fn serve(
    listener: TcpListener,
    connections: Connections,
    relay: Relay,
    limits: ListenerLimits,
) {
    let handler = move |request, peer| {
        engineio::serve(connections.clone(), Some(relay.clone()), request, peer)
    };
    server::serve(listener, handler, limits, pending()).await;
}

/// Patient enough for a busy machine.
pub(crate) fn limits() -> RelayLimits {
    RelayLimits {
        requests_max: 100,
        tunnels_max: 100,
        connect_timeout: Duration::from_secs(5),
        preamble: &[],
        answer_timeout: Duration::from_secs(60),
        answer_bytes_max: 1 << 20,
        idle_timeout: Duration::from_secs(15),
        idle_connections_max: 8,
    }
}

#[derive(Default)]
pub(crate) struct AddressBook {
    addresses: Mutex<HashMap<Owner, Arc<str>>>,
    questions: AtomicU32,
}

impl AddressBook {
    pub(crate) fn put(&self, owner: Owner, address: SocketAddr) {
        self.addresses.lock().unwrap().insert(owner, address.to_string().into());
    }

    /// How often it was asked.
    pub(crate) fn questions(&self) -> u32 {
        self.questions.load(Ordering::Relaxed)
    }
}

impl Owners for AddressBook {
    fn address_of(
        &self,
        owner: Owner,
    ) -> BoxFuture<'_, Result<Option<Arc<str>>, OwnersUnavailable>> {
        self.questions.fetch_add(1, Ordering::Relaxed);
        ready(Ok(self.addresses.lock().unwrap().get(&owner).cloned())).boxed()
    }
}
