//! Somebody who opens sessions in Redis as the server does.

use cardroom::clock::Clock;
use cardroom::identity::{Claims, Keyring};
use cardroom::poker::command::{Action, Command};
use cardroom::poker::deck::Deck;
use cardroom::poker::ids::{JoinCode, PlayerId, SessionId};
use cardroom::poker::play::play;
use cardroom::poker::policy::Policy;
use cardroom::poker::session::Opening;
use cardroom::poker::settings::Settings;
use cardroom::store::redis::RedisOptions;
use cardroom::store::{Entry, Lifetime, RedisStore, SessionStore, Stored, Tombstone};
use secrecy::ExposeSecret;

use crate::redis_server::RedisServer;

/// In front of all keys: the settings of functions name it too.
pub const KEY_PREFIX: &str = "house:";
const SIGNING_KEY: &str = "canary-key-0123456789abcdef0123456789abcdef";

pub struct Host {
    pub store: RedisStore,
    keys: Keyring,
}

/// An open session.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    pub session: SessionId,
    pub code: JoinCode,
    pub host: PlayerId,
}

impl Host {
    pub async fn at(redis: &RedisServer) -> Self {
        let options = RedisOptions {
            key_prefix: KEY_PREFIX.to_owned(),
            // For machines that do ten other things.
            command_timeout: std::time::Duration::from_secs(5),
            connect_timeout: std::time::Duration::from_secs(5),
            ..RedisOptions::new(redis.url().into())
        };
        let store = RedisStore::connect(options).await.expect("a store");
        let key = ("k1".to_owned(), SIGNING_KEY.to_owned().into());
        Self { store, keys: Keyring::new([key]).expect("a key") }
    }

    /// `auth.token_keys` as Terraform writes it.
    pub fn token_keys() -> String {
        format!("[{{kid=\"k1\", secret=\"{SIGNING_KEY}\"}}]")
    }

    /// Sessions of different numbers have different ids.
    pub async fn open(&self, number: u8) -> Table {
        let opening = Opening {
            id: SessionId::from_random([number; 10]),
            code: JoinCode::from_random([number; 5]),
            policy: Policy::default(),
            settings: Settings::new("Sprint 7".parse().expect("a name"), Deck::default()),
            password: None,
            host: PlayerId::from_random([number; 16]),
            host_name: "Hanna".parse().expect("a name"),
            host_avatar: Default::default(),
        };
        let table = Table { session: opening.id, code: opening.code, host: opening.host };
        self.store.create(opening, self.lifetime(Tombstone::Expired)).await.expect("created");
        table
    }

    /// The player token of the host's seat.
    pub fn token(&self, table: &Table) -> String {
        self.token_of(table, 0, 3_600_000)
    }

    /// Of another generation, or expired already.
    pub fn token_of(&self, table: &Table, generation: u32, valid_ms: i64) -> String {
        let now = Clock::system().now();
        let (issued, valid_ms) = match u64::try_from(valid_ms) {
            Ok(valid_ms) => (now, valid_ms),
            Err(_) => (now.saturating_sub_ms(valid_ms.unsigned_abs() + 1_000), 1_000),
        };
        let claims = Claims {
            session: table.session,
            player: table.host,
            generation,
            issued,
            expires: issued.add_ms(valid_ms),
        };
        self.keys.mint(&claims).expose_secret().to_owned()
    }

    /// The host ends the session.
    pub async fn close(&self, table: &Table) {
        let stored = self.store.load(table.session).await.expect("loaded");
        let Stored::Live(loaded) = stored else { panic!("no session: {stored:?}") };
        let mut session = loaded.session;
        let command = Command::by_seat(table.host, Action::End);
        let played = play(&mut session, &command, self.store.now()).expect("allowed");
        let entries = Entry::behind(loaded.position, 7, played.events);
        let lifetime = self.lifetime(Tombstone::Ended);
        self.store
            .commit(table.session, loaded.position, entries, Vec::new(), lifetime)
            .await
            .expect("committed");
    }

    fn lifetime(&self, tombstone: Tombstone) -> Lifetime {
        let kept_until = self.store.now().add_ms(Policy::default().session_ttl_ms);
        Lifetime { kept_until, tombstone, tombstone_until: kept_until.add_ms(3_600_000) }
    }
}
