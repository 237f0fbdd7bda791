//! Two instances on one store, in virtual time: who of the others is dead is
//! said once, and only by those who can know.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use tokio::time::{Instant, sleep};

use cardroom::clock::Clock;
use cardroom::hub::Hub;
use cardroom::identity::Keyring;
use cardroom::poker::event::{Event, Fact};
use cardroom::poker::ids::{InstanceId, Millis, PlayerId, SessionId, SessionRef};
use cardroom::poker::seat::Presence;
use cardroom::store::directory::{Directory, Figures, InstanceRecord};
use cardroom::store::{
    Entry, Lifetime, MemoryStore, Missing, Position, SessionStore, Stored, Tombstone,
};
use cardroom::table::{CreateRequest, Created, Table, TableOptions};

const NOBODY: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const LEASE: Duration = Duration::from_secs(15);

struct House {
    store: Arc<MemoryStore>,
    tables: Vec<Table>,
    created: Created,
    opened_at: Position,
}

impl House {
    /// So many instances that serve a session whose host sits at `ghost`.
    async fn haunted(instances: usize, ghost: InstanceId) -> Self {
        let store = Arc::new(MemoryStore::new(Clock::starting_at(Millis(1 << 40)), 8));
        let table = |_| {
            let keyring = Keyring::ephemeral([7; 32]);
            let options = TableOptions::default();
            Table::new(
                Arc::clone(&store) as _,
                Arc::clone(&store) as _,
                Hub::new(),
                keyring,
                options,
            )
        };
        let tables: Vec<Table> = (0..instances).map(table).collect();
        let request = CreateRequest {
            name: "Sprint".parse().expect("a name"),
            deck: None,
            patch: Default::default(),
            password: None,
            player_name: None,
            avatar: None,
        };
        let created = tables[0].create(request, NOBODY).await.expect("a session");
        let opened_at = position(&store, created.session).await;
        let house = Self { store, tables, created, opened_at };
        house.sit_at(ghost).await;
        house.look().await;
        house
    }

    /// The host's socket is there.
    async fn sit_at(&self, instance: InstanceId) {
        let fact = Fact::SeatConnected { player: self.created.host, instance };
        let event = Event { at: self.store.now(), seq: 0, by: None, request: None, fact };
        let expected = position(&self.store, self.created.session).await;
        let kept_until = self.store.now().add_ms(1 << 32);
        let lifetime =
            Lifetime { kept_until, tombstone: Tombstone::Expired, tombstone_until: kept_until };
        let entries = Entry::behind(expected, 99, [event]);
        self.store.commit(self.created.session, expected, entries, lifetime).await.expect("alone");
    }

    /// Every instance serves the session; answers how the first sees its host.
    async fn look(&self) -> Presence {
        let mut seen = None;
        for table in &self.tables {
            let host: PlayerId = self.created.host;
            let session = SessionRef::Id(self.created.session);
            let presence = table.read(session, move |session, _| session.seats[&host].presence);
            seen = seen.or(Some(presence.await.expect("a session")));
        }
        seen.expect("an instance")
    }

    /// How often somebody has said that the host's socket is gone.
    async fn said(&self) -> usize {
        let read = self.store.read_after(self.created.session, self.opened_at).await;
        let Ok(Missing::Entries(entries)) = read else { panic!("the log is short: {read:?}") };
        let facts = entries.iter().map(|entry| &entry.event.fact);
        facts.filter(|fact| matches!(fact, Fact::SeatDisconnected { .. })).count()
    }

    /// Lets time pass; the instances go on serving the session.
    async fn pass(&self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.look().await;
            sleep(Duration::from_millis(500)).await;
        }
    }
}

async fn position(store: &MemoryStore, session: SessionId) -> Position {
    match store.load(session).await {
        Ok(Stored::Live(loaded)) => loaded.position,
        other => panic!("not live: {other:?}"),
    }
}

fn record(id: InstanceId) -> InstanceRecord {
    InstanceRecord {
        id,
        address: String::new(),
        task: None,
        started: Millis(0),
        figures: Figures::default(),
    }
}

#[tokio::test(start_paused = true)]
async fn of_all_who_notice_one_says_it() {
    let house = House::haunted(5, InstanceId(666)).await;
    // Nobody can know at once: it may be that the directory is new.
    house.pass(LEASE - Duration::from_secs(1)).await;
    assert_eq!(house.said().await, 0);
    assert!(matches!(house.look().await, Presence::Online { .. }));
    house.pass(Duration::from_secs(6)).await;
    assert_eq!(house.said().await, 1);
    assert!(matches!(house.look().await, Presence::Grace { .. }));
    house.pass(Duration::from_secs(60)).await;
    assert_eq!(house.said().await, 1);
    assert!(matches!(house.look().await, Presence::Away { .. }));
}

#[tokio::test(start_paused = true)]
async fn an_instance_is_dead_a_lease_after_its_last_sign_of_life() {
    let there = InstanceId(666);
    let house = House::haunted(2, there).await;
    for _ in 0..10 {
        house.store.announce(record(there), LEASE.as_millis() as u64).await.unwrap();
        house.pass(LEASE - Duration::from_secs(2)).await;
        assert_eq!(house.said().await, 0);
    }
    house.pass(Duration::from_secs(7)).await;
    assert_eq!(house.said().await, 1);
    // It comes back: nothing of before is held against it.
    house.store.announce(record(there), LEASE.as_millis() as u64).await.unwrap();
    house.sit_at(there).await;
    house.pass(LEASE - Duration::from_secs(2)).await;
    assert_eq!(house.said().await, 1);
    house.store.retire(there).await.unwrap();
    house.pass(Duration::from_secs(5)).await;
    assert_eq!(house.said().await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_directory_without_any_lease_is_not_believed() {
    let there = InstanceId(666);
    let house = House::haunted(2, there).await;
    house.store.announce(record(there), LEASE.as_millis() as u64).await.unwrap();
    house.pass(LEASE - Duration::from_secs(1)).await;
    // Everything is lost, and the one that lives is slower than we are.
    let all = house.tables.iter().map(Table::instance).chain([there]);
    for id in all {
        house.store.retire(id).await.unwrap();
    }
    house.pass(LEASE - Duration::from_secs(2)).await;
    assert_eq!(house.said().await, 0);
    house.store.announce(record(there), LEASE.as_millis() as u64).await.unwrap();
    house.pass(LEASE - Duration::from_secs(1)).await;
    assert_eq!(house.said().await, 0);
}

#[tokio::test(start_paused = true)]
async fn an_instance_announces_itself_until_it_retires() {
    let house = House::haunted(1, InstanceId(666)).await;
    let (table, store) = (&house.tables[0], &house.store);
    let is_alive = || -> BoxFuture<'_, bool> {
        async { store.instance(table.instance()).await.unwrap().is_some() }.boxed()
    };
    for _ in 0..20 {
        sleep(Duration::from_secs(3)).await;
        assert!(is_alive().await);
    }
    table.retire().await;
    assert!(!is_alive().await);
    sleep(LEASE).await;
    assert!(!is_alive().await);
}
