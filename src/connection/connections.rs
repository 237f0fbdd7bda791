//! The open connections of this instance, by their secret id.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;
use tracing::{Instrument as _, debug_span};

use crate::connection::admission::{Admission, Place, Refused};
use crate::connection::app::{App, EngineApp};
use crate::connection::handle::Connection;
use crate::connection::handshake::Handshake;
use crate::connection::layer::Layer;
use crate::connection::link::Link;
use crate::connection::options::Options;
use crate::connection::task::Task;
use crate::hub::Outbox;
use crate::metrics::TurnedAway;
use crate::protocol::engineio::{Open, TransportName};
use crate::protocol::sid::{Issuer, Owner};
use crate::protocol::{CloseReason, Encoded, Sid};

/// Opens connections and finds them again. A clone is the same registry.
#[derive(Clone)]
pub struct Connections {
    inner: Arc<Inner>,
}

/// What speaks on top of Engine.IO.
pub enum Upper {
    SocketIo(Arc<dyn App>),
    /// Nothing: messages go to the application as they are.
    EngineIo(Arc<dyn EngineApp>),
}

struct Inner {
    options: Options,
    upper: Upper,
    issuer: Issuer,
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
    open: AtomicU32,
    is_draining: AtomicBool,
    admission: Admission,
}

type Shard = HashMap<Sid, Arc<Connection>>;

impl Connections {
    const SHARDS: usize = 64;

    /// For an instance that shares its connections with no other.
    pub fn new(options: Options, upper: Upper) -> Self {
        let issuer = Issuer::new(Owner(u64::from_le_bytes(random())), &random::<32>());
        Self::with_issuer(options, upper, issuer)
    }

    pub fn with_issuer(options: Options, upper: Upper, issuer: Issuer) -> Self {
        let shards = (0..Self::SHARDS).map(|_| Mutex::default()).collect();
        Self {
            inner: Arc::new(Inner {
                admission: Admission::new(&options.admission),
                options,
                upper,
                issuer,
                shards,
                hasher: RandomState::new(),
                open: AtomicU32::new(0),
                is_draining: AtomicBool::new(false),
            }),
        }
    }

    pub fn options(&self) -> &Options {
        &self.inner.options
    }

    /// Makes the ids of the connections here, and knows those of the others.
    pub fn issuer(&self) -> &Issuer {
        &self.inner.issuer
    }

    /// A place for a connection that somebody at `address` wants to open.
    pub fn admit(&self, address: IpAddr) -> Result<Place, Refused> {
        if self.inner.is_draining.load(Ordering::Relaxed) {
            return Err(Refused::new(TurnedAway::Draining));
        }
        if self.options().connections_max <= self.inner.open.load(Ordering::Relaxed) {
            return Err(Refused::new(TurnedAway::Full));
        }
        self.inner.admission.admit(address, Instant::now())
    }

    /// While the process uses as much memory as it may, nobody new is let in.
    pub fn set_memory_short(&self, is_short: bool) {
        self.inner.admission.set_memory_short(is_short);
    }

    /// Opens a connection over polling. Returns the payload that answers the handshake.
    pub fn open_polling(&self, handshake: Handshake) -> Vec<u8> {
        let sid = self.issuer().issue(random());
        let mut payload = Vec::new();
        self.open_packet(&sid, self.options().allow_websocket).put_polling(&mut payload);
        self.spawn(sid, handshake, None);
        payload
    }

    /// Opens a connection over a WebSocket.
    pub fn open_websocket(&self, handshake: Handshake, mut link: Box<dyn Link>) {
        let sid = self.issuer().issue(random());
        link.queue(self.open_packet(&sid, false).into_websocket());
        self.spawn(sid, handshake, Some(link));
    }

    pub fn find(&self, sid: Sid) -> Option<Arc<Connection>> {
        self.shard(sid).get(&sid).cloned()
    }

    /// Closes every connection; the clients reconnect, elsewhere if told so.
    pub fn close_all(&self, reason: CloseReason) {
        for shard in &self.inner.shards {
            let connections: Vec<_> = lock(shard).values().cloned().collect();
            for connection in connections {
                connection.close(reason);
            }
        }
    }

    /// Those that are open, in no order.
    pub fn all(&self) -> Vec<Arc<Connection>> {
        let of_shard = |shard| lock(shard).values().cloned().collect::<Vec<_>>();
        self.inner.shards.iter().flat_map(of_shard).collect()
    }

    /// Welcomes nobody from now on.
    pub fn turn_away(&self) {
        self.inner.is_draining.store(true, Ordering::Relaxed);
    }

    /// Whether nobody is welcome because the instance is on its way out.
    pub fn are_turned_away(&self) -> bool {
        self.inner.is_draining.load(Ordering::Relaxed)
    }

    /// Welcomes nobody from now on, and closes everybody.
    pub fn drain(&self) {
        self.turn_away();
        self.close_all(CloseReason::ServerShuttingDown);
    }

    pub fn len(&self) -> usize {
        self.inner.open.load(Ordering::Relaxed) as usize
    }

    /// Bytes that wait in all outboxes. Looks at each connection: for metrics.
    pub fn outbox_bytes(&self) -> u64 {
        let of_shard = |shard| {
            let connections: Vec<Arc<Connection>> = lock(shard).values().cloned().collect();
            connections.iter().map(|connection| connection.outbox.bytes() as u64).sum::<u64>()
        };
        self.inner.shards.iter().map(of_shard).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn forget(&self, sid: Sid) {
        let forgotten = self.shard(sid).remove(&sid);
        if let Some(connection) = forgotten {
            self.options().metrics.wire.connection_forgotten(connection.transport());
            self.inner.open.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn open_packet(&self, sid: &Sid, can_upgrade: bool) -> Encoded {
        let options = self.options();
        let open = Open {
            sid,
            can_upgrade,
            ping_interval: options.ping_interval,
            ping_timeout: options.ping_timeout,
            max_payload_bytes: options.max_payload_bytes,
        };
        Encoded::open(&open.json())
    }

    fn spawn(&self, sid: Sid, mut handshake: Handshake, link: Option<Box<dyn Link>>) {
        // The application may keep the rest for longer than there is a connection.
        let place = handshake.place.take();
        handshake.shrink(self.options().headers_kept.as_deref());
        handshake.transport =
            if link.is_some() { TransportName::WebSocket } else { TransportName::Polling };
        self.options().metrics.wire.connection_opened(handshake.transport);
        let outbox = Arc::new(Outbox::new(self.options().outbox));
        let connection = Arc::new(Connection::new(outbox, handshake));
        self.shard(sid).insert(sid, Arc::clone(&connection));
        self.inner.open.fetch_add(1, Ordering::Relaxed);
        let layer = Layer::new(&self.inner.upper, &connection, self.options());
        // Never the sid: it is a secret.
        let span = debug_span!("connection", peer = %connection.handshake.peer);
        let task = Task::new(self.clone(), sid, connection, layer, link);
        let run = async move {
            task.run().await;
            drop(place);
        };
        tokio::spawn(run.instrument(span));
    }

    fn shard(&self, sid: Sid) -> MutexGuard<'_, Shard> {
        let index = self.inner.hasher.hash_one(sid) as usize % self.inner.shards.len();
        lock(&self.inner.shards[index])
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").field("len", &self.len()).finish_non_exhaustive()
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// # Panics
/// When the operating system has no randomness to give: nothing that is
/// secret can be made then.
pub(super) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives randomness");
    bytes
}
