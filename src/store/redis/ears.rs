//! The pub/sub connections of an instance: one to each node that serves a
//! session which is followed here.
//!
//! A sharded channel is heard at the node that serves its slot, and nowhere
//! else. So it is remembered where each one was subscribed, and after every
//! change of the topology, and after a connection was lost, those that are
//! elsewhere now are subscribed anew.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::stream::{self, StreamExt};
use redis::aio::MultiplexedConnection;
use redis::{PushInfo, Value, cmd};
use tokio::sync::mpsc;

use crate::poker::ids::SessionId;
use crate::store::contract::StoreError;
use crate::store::redis::keys::Keys;
use crate::store::redis::link::{Address, Link, within};

/// Pushes that may wait; if more come, all sessions are looked at instead.
const PUSHES_WAITING_MAX: usize = 4_096;
/// Subscriptions that are on their way at once.
const SUBSCRIBING_MAX: usize = 64;

pub(super) struct Ears {
    link: Link,
    keys: Keys,
    pushes: mpsc::Sender<Heard>,
    /// Some pushes found no room.
    overflow: Arc<AtomicBool>,
    serials: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    connections: HashMap<Address, Ear>,
    /// At which connection a session is subscribed.
    places: HashMap<SessionId, u64>,
}

#[derive(Clone)]
struct Ear {
    serial: u64,
    connection: MultiplexedConnection,
}

/// A push, and the connection that it came by.
pub(super) struct Heard {
    pub(super) serial: u64,
    pub(super) push: PushInfo,
}

impl Ears {
    pub(super) fn new(link: Link, keys: Keys) -> (Self, mpsc::Receiver<Heard>) {
        let (pushes, waiting) = mpsc::channel(PUSHES_WAITING_MAX);
        let ears = Self {
            link,
            keys,
            pushes,
            overflow: Arc::default(),
            serials: AtomicU64::new(1),
            state: Mutex::default(),
        };
        (ears, waiting)
    }

    /// Whether pub/sub can be had at all.
    pub(super) async fn open(&self) -> Result<(), StoreError> {
        for node in self.link.primaries()? {
            self.ear(node.address()).await?;
        }
        Ok(())
    }

    /// Subscribes `id` where it is served now, unless it is already.
    pub(super) async fn subscribe(&self, id: SessionId) -> Result<(), StoreError> {
        let node = self.link.owner(&self.keys.channel(id))?;
        let ear = self.ear(node.address()).await?;
        if self.state().places.get(&id) == Some(&ear.serial) {
            return Ok(());
        }
        if let Err(error) = self.send(&ear, "SSUBSCRIBE", Some(id)).await {
            // Where it is served now, somebody has to find out.
            self.link.doubt();
            return Err(error);
        }
        let mut state = self.state();
        let is_alive = state.connections.values().any(|alive| alive.serial == ear.serial);
        if !is_alive {
            return Err(StoreError::Unavailable("pub/sub: the connection ended".to_owned()));
        }
        state.places.insert(id, ear.serial);
        Ok(())
    }

    pub(super) async fn unsubscribe(&self, id: SessionId) -> Result<(), StoreError> {
        let ear = {
            let mut state = self.state();
            let Some(serial) = state.places.remove(&id) else { return Ok(()) };
            let mut ears = state.connections.values();
            let Some(ear) = ears.find(|ear| ear.serial == serial) else { return Ok(()) };
            ear.clone()
        };
        self.send(&ear, "SUNSUBSCRIBE", Some(id)).await
    }

    /// Subscribes those of `ids` that are subscribed nowhere, or where they
    /// are no longer served; returns those that are now, and an error if some
    /// could not be.
    pub(super) async fn settle(
        &self,
        ids: Vec<SessionId>,
    ) -> (Vec<SessionId>, Result<(), StoreError>) {
        let astray: Vec<SessionId> = ids.into_iter().filter(|id| self.is_astray(*id)).collect();
        let settling = stream::iter(astray).map(|id| async move { (id, self.subscribe(id).await) });
        let outcomes: Vec<_> = settling.buffer_unordered(SUBSCRIBING_MAX).collect().await;
        let mut settled = Vec::with_capacity(outcomes.len());
        let mut result = Ok(());
        for (id, outcome) in outcomes {
            match outcome {
                Ok(()) => settled.push(id),
                Err(error) => result = Err(error),
            }
        }
        self.close_idle();
        (settled, result)
    }

    fn is_astray(&self, id: SessionId) -> bool {
        let Ok(node) = self.link.owner(&self.keys.channel(id)) else { return true };
        let state = self.state();
        let place = state.places.get(&id);
        place.is_none() || place != state.connections.get(node.address()).map(|ear| &ear.serial)
    }

    /// Lets go of connections to nodes that serve nothing any more.
    fn close_idle(&self) {
        let Ok(primaries) = self.link.primaries() else { return };
        let mut state = self.state();
        let used: HashSet<u64> = state.places.values().copied().collect();
        state.connections.retain(|address, ear| {
            used.contains(&ear.serial) || primaries.iter().any(|node| node.address() == address)
        });
    }

    /// The connection with that serial ended; whether it was one of ours.
    pub(super) fn lost(&self, serial: u64) -> bool {
        let mut state = self.state();
        let known = state.connections.len();
        state.connections.retain(|_, ear| ear.serial != serial);
        state.places.retain(|_, place| *place != serial);
        state.connections.len() < known
    }

    /// Whether `id` is believed to be subscribed at that connection.
    pub(super) fn has(&self, id: SessionId, serial: u64) -> bool {
        self.state().places.get(&id) == Some(&serial)
    }

    /// Whether `id` is believed to be subscribed.
    pub(super) fn hears(&self, id: SessionId) -> bool {
        self.state().places.contains_key(&id)
    }

    /// Asks every connection whether it lives; the serials of the dead.
    pub(super) async fn probe(&self) -> Vec<u64> {
        let ears: Vec<Ear> = self.state().connections.values().cloned().collect();
        let probing = ears.iter().map(|ear| async move {
            let answer = self.send(ear, "PING", None).await;
            answer.is_err().then_some(ear.serial)
        });
        futures_util::future::join_all(probing).await.into_iter().flatten().collect()
    }

    pub(super) fn overflowed(&self) -> bool {
        self.overflow.swap(false, Ordering::Relaxed)
    }

    async fn ear(&self, address: &Address) -> Result<Ear, StoreError> {
        if let Some(ear) = self.state().connections.get(address) {
            return Ok(ear.clone());
        }
        let serial = self.serials.fetch_add(1, Ordering::Relaxed);
        let (pushes, overflow) = (self.pushes.clone(), Arc::clone(&self.overflow));
        let listener = move |push: PushInfo| match pushes.try_send(Heard { serial, push }) {
            Err(mpsc::error::TrySendError::Full(_)) => {
                overflow.store(true, Ordering::Relaxed);
                Ok(())
            }
            result => result.map_err(drop),
        };
        let limit = self.link.command_timeout();
        let connection = self.link.dial().connect_for_pushes(address, limit, listener).await?;
        // Of two that connect at once, the first keeps its connection.
        let mut state = self.state();
        let ear = state.connections.entry(address.clone());
        Ok(ear.or_insert(Ear { serial, connection }).clone())
    }

    async fn send(
        &self,
        ear: &Ear,
        name: &'static str,
        session: Option<SessionId>,
    ) -> Result<(), StoreError> {
        let mut connection = ear.connection.clone();
        let mut command = cmd(name);
        if let Some(id) = session {
            command.arg(self.keys.channel(id));
        }
        let sending = command.query_async::<Value>(&mut connection);
        within(self.link.command_timeout(), name, sending).await.map(drop)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
