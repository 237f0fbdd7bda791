//! The attack: events at a hundred times their limits from one seat, whose
//! holder comes back fifty times a second by token, to either instance and on
//! either transport; and from one address that has no seat, wrong codes and
//! new sessions. It has a thread of its own, so that what it costs here is not
//! measured by the others.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use super::budgets::{Budget, Ledger};
use super::net::between;
use super::peer::{NotOpened, Peer, Transport};

/// What the holder of the seat tries, and how often he may.
pub(crate) const SEATED: [Budget; 5] = [
    per_minute("vote:submit", 10),
    per_minute("vote:change", 30),
    per_minute("story:update", 5),
    per_minute("player:update", 5),
    per_minute("session:sync", 30),
];
/// His coming back.
pub(crate) const RETURN: Budget = per_minute("return by token", 30);
pub(crate) const CREATE: Budget = per_minute("session:create", 10);
/// The limit of an address; as attempts to join they have one per minute, too.
pub(crate) const WRONG_CODE: Budget =
    Budget { what: "wrong code", attempts_max: 20, window: Duration::from_secs(600) };

const TIMES: f64 = 100.0;
const RETURNS_PER_SECOND: u32 = 50;
/// Joins without a seat: a hundred times what an address may try.
const WRONG_CODES_PER_SECOND: f64 = TIMES * 30.0 / 60.0;
/// At each instance one, over another transport. Guesses that are under way at
/// once are all made, so that each further one may guess once more; that their
/// number is bounded is the budget of joins.
const STRANGERS: [u64; 2] = [0, 3];
/// Connections that come back at one time: beyond, this machine is the limit.
const RETURNING_MAX: usize = 1_000;
/// While nobody speaks, no more is owed than this: a client that polls in turns
/// is slow while it sends.
const OWED_MAX: Duration = Duration::from_millis(250);
const BEAT: Duration = Duration::from_millis(100);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

const HOLDER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const STRANGER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);

const fn per_minute(what: &'static str, attempts_max: usize) -> Budget {
    Budget { what, attempts_max, window: Duration::from_secs(60) }
}

/// Whom it is about.
pub(crate) struct Aim {
    pub(crate) servers: [SocketAddr; 2],
    pub(crate) session: String,
    pub(crate) story: String,
}

pub(crate) struct Flood {
    shared: Arc<Shared>,
    mood: watch::Sender<bool>,
    /// Dropped, it is over.
    _over: oneshot::Sender<()>,
    _thread: JoinHandle<()>,
}

#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) returns: AtomicU64,
    pub(crate) by_polling: AtomicU64,
    pub(crate) turned_away: AtomicU64,
    pub(crate) not_opened: AtomicU64,
    pub(crate) closed: AtomicU64,
    pub(crate) not_tried: AtomicU64,
}

struct Shared {
    aim: Aim,
    token: String,
    ledger: Ledger,
    counts: Counts,
    mood: watch::Receiver<bool>,
    sides: [Side; 2],
    strangers: Meter,
}

/// What happens at one instance.
struct Side {
    owed: Meter,
    /// Sockets on the seat; the first of them floods.
    seated: Mutex<BTreeSet<u64>>,
}

/// What is to be tried in a second.
struct Meter {
    rates: Vec<(&'static str, f64)>,
    owed: Mutex<(Instant, Vec<f64>)>,
}

impl Flood {
    /// Takes the seat; is quiet until told otherwise.
    pub(crate) async fn prepare(aim: Aim) -> Result<Self, String> {
        let token = take_seat(&aim).await?;
        let (mood, moods) = watch::channel(false);
        let (over, is_over) = oneshot::channel();
        let side = || {
            let rate = |budget: &Budget| (budget.what, TIMES * budget.attempts_max as f64 / 120.0);
            Side { owed: Meter::new(SEATED.iter().map(rate).collect()), seated: Mutex::default() }
        };
        let creates = TIMES * CREATE.attempts_max as f64 / 60.0;
        let shared = Arc::new(Shared {
            aim,
            token,
            ledger: Ledger::default(),
            counts: Counts::default(),
            mood: moods,
            sides: [side(), side()],
            strangers: Meter::new(vec![
                (WRONG_CODE.what, WRONG_CODES_PER_SECOND),
                (CREATE.what, creates),
            ]),
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let attack = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                for number in STRANGERS {
                    tokio::spawn(Arc::clone(&attack).stranger(number));
                }
                tokio::spawn(attack.storm());
                let _ = is_over.await;
            });
        });
        Ok(Self { shared, mood, _over: over, _thread: thread })
    }

    pub(crate) fn rage(&self, is_raging: bool) {
        self.mood.send_replace(is_raging);
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.shared.ledger
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.shared.counts
    }
}

async fn take_seat(aim: &Aim) -> Result<String, String> {
    let [server, _] = aim.servers;
    let opened = Peer::open(server, HOLDER, Transport::WebSocket).await;
    let mut peer = opened.map_err(|_| "the attacker is not let in".to_owned())?;
    enter(&mut peer, "40").await?;
    let join = json!(["session:join", {"sessionId": aim.session, "playerName": "Mallory"}]);
    peer.say(&[format!("421{join}")]).await?;
    loop {
        for packet in peer.hear().await? {
            if let Some(answer) = packet.strip_prefix("431[") {
                let token = between(answer, "\"playerToken\":\"", "\"").map(str::to_owned);
                return token.ok_or_else(|| format!("no seat for the attacker: {answer}"));
            }
        }
    }
}

/// Into the namespace.
async fn enter(peer: &mut Peer, connect: &str) -> Result<Vec<String>, String> {
    peer.say(&[connect.to_owned()]).await?;
    loop {
        let heard = peer.hear().await?;
        if heard.iter().any(|packet| packet.starts_with("40")) {
            return Ok(heard);
        }
    }
}

impl Shared {
    /// An open loop: nobody waits for those before.
    async fn storm(self: Arc<Self>) {
        let places = Arc::new(Semaphore::new(RETURNING_MAX));
        let mut ticks = interval(Duration::from_secs(1) / RETURNS_PER_SECOND);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        for number in 0.. {
            ticks.tick().await;
            if !self.is_raging() {
                continue;
            }
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                add(&self.counts.not_tried);
                continue;
            };
            let shared = Arc::clone(&self);
            tokio::spawn(async move {
                let returning = shared.come_back(number);
                if let Ok(Some((peer, side))) = returning.await {
                    drop(place);
                    shared.stay(peer, side, number).await;
                }
            });
        }
    }

    /// By token; who is seated stays, who is not votes all the same.
    async fn come_back(&self, number: u64) -> Result<Option<(Peer, &Side)>, String> {
        let (server, side) = self.instance(number);
        let transport = transport(number);
        add(&self.counts.returns);
        if transport == Transport::Polling {
            add(&self.counts.by_polling);
        }
        let Some(mut peer) = self.open(server, HOLDER, transport).await else { return Ok(None) };
        self.ledger.tried(RETURN.what);
        let asked = Instant::now();
        let auth = json!({"sessionId": self.aim.session, "playerToken": self.token});
        let mut heard = enter(&mut peer, &format!("40{auth}")).await?;
        loop {
            let said = |start: &str| heard.iter().any(|packet| packet.starts_with(start));
            if said("42[\"session:joined\"") {
                self.ledger.admitted(RETURN.what, asked);
                return Ok(Some((peer, side)));
            }
            if said("42[\"session:error\"") {
                self.ledger.refused(RETURN.what);
                break;
            }
            heard = peer.hear().await?;
        }
        let [vote, ..] = SEATED;
        self.round(&mut peer, &[vote.what]).await?;
        peer.leave().await;
        Ok(None)
    }

    /// Until the server closes it: the first at each instance floods, the
    /// others take what comes.
    async fn stay(&self, mut peer: Peer, side: &Side, number: u64) {
        side.with_seated(|seated| seated.insert(number));
        let _closed = self.flood(&mut peer, side, number).await;
        side.with_seated(|seated| seated.remove(&number));
        add(&self.counts.closed);
    }

    async fn flood(&self, peer: &mut Peer, side: &Side, number: u64) -> Result<(), String> {
        loop {
            let is_first = side.with_seated(|seated| seated.first() == Some(&number));
            if is_first && self.is_raging() {
                self.round(peer, &side.owed.take()).await?;
                sleep(BEAT).await;
            } else if matches!(peer, Peer::WebSocket(_)) {
                if let Ok(heard) = timeout(BEAT, peer.hear()).await {
                    drop(heard?);
                }
            } else {
                // A poll cannot be given up; somebody votes soon.
                peer.hear().await?;
            }
        }
    }

    /// Wrong codes and new sessions, on a new connection as often as needed.
    async fn stranger(self: Arc<Self>, number: u64) {
        let mut mood = self.mood.clone();
        while mood.wait_for(|is_raging| *is_raging).await.is_ok() {
            let (server, _) = self.instance(number);
            if let Some(mut peer) = self.open(server, STRANGER, transport(number)).await
                && enter(&mut peer, "40").await.is_ok()
            {
                match self.guess(&mut peer).await {
                    Ok(()) => peer.leave().await,
                    Err(_) => add(&self.counts.closed),
                }
            }
            sleep(BEAT).await;
        }
    }

    /// Until a session is open, in which nobody can open another one.
    async fn guess(&self, peer: &mut Peer) -> Result<(), String> {
        let mut mood = self.mood.clone();
        while mood.wait_for(|is_raging| *is_raging).await.is_ok() {
            if self.round(peer, &self.strangers.take()).await?.contains(&CREATE.what) {
                break;
            }
            sleep(BEAT).await;
        }
        Ok(())
    }

    async fn open(
        &self,
        server: SocketAddr,
        source: Ipv4Addr,
        transport: Transport,
    ) -> Option<Peer> {
        match Peer::open(server, source, transport).await {
            Ok(peer) => return Some(peer),
            Err(NotOpened::TurnedAway) => add(&self.counts.turned_away),
            Err(NotOpened::Failed) => add(&self.counts.not_opened),
        }
        None
    }

    /// Tries all of these at once, and waits for the answers; what was let
    /// through.
    async fn round(
        &self,
        peer: &mut Peer,
        attempts: &[&'static str],
    ) -> Result<Vec<&'static str>, String> {
        let asked = Instant::now();
        let mut waiting: BTreeMap<usize, &'static str> =
            attempts.iter().copied().enumerate().collect();
        let packets: Vec<_> = waiting
            .iter()
            .map(|(id, what)| {
                self.ledger.tried(what);
                format!("42{id}{}", self.event(what, asked))
            })
            .collect();
        let mut admitted = Vec::new();
        let exchange = async {
            peer.say(&packets).await?;
            while !waiting.is_empty() {
                for packet in peer.hear().await? {
                    let Some((id, answer)) =
                        packet.strip_prefix("43").and_then(|rest| rest.split_once('['))
                    else {
                        continue;
                    };
                    let Some(what) = id.parse().ok().and_then(|id: usize| waiting.remove(&id))
                    else {
                        continue;
                    };
                    if is_refused(answer) {
                        self.ledger.refused(what);
                    } else {
                        self.ledger.admitted(what, asked);
                        admitted.push(what);
                    }
                }
            }
            Ok::<(), String>(())
        };
        timeout(ANSWER_TIMEOUT, exchange).await.map_err(|_| "no answer".to_owned())??;
        Ok(admitted)
    }

    fn event(&self, what: &str, at: Instant) -> Value {
        let changing = at.elapsed().as_nanos();
        let card = ["1", "2", "3", "5", "8"][(changing % 5) as usize];
        match what {
            "vote:submit" | "vote:change" => {
                json!([what, {"storyId": self.aim.story, "value": card}])
            }
            "story:update" => json!([what, {"title": format!("Story {changing}")}]),
            "player:update" => json!([what, {"name": format!("Mallory {changing}")}]),
            "session:create" => json!([what, {"name": "Mine", "playerName": "Mallory"}]),
            "wrong code" => {
                json!(["session:join", {"sessionId": "ABCDEFGH", "playerName": "Mallory"}])
            }
            _ => json!([what, {}]),
        }
    }

    fn instance(&self, number: u64) -> (SocketAddr, &Side) {
        let [one, other] = self.aim.servers;
        let [one_side, other_side] = &self.sides;
        if number.is_multiple_of(2) { (one, one_side) } else { (other, other_side) }
    }

    fn is_raging(&self) -> bool {
        *self.mood.borrow()
    }
}

/// Nothing was counted, or it was too much. Whatever else is said comes of an
/// attempt that was let through.
fn is_refused(answer: &str) -> bool {
    ["RATE_LIMITED", "NOT_JOINED", "ALREADY_JOINED_OTHER"]
        .iter()
        .any(|code| answer.contains(&format!("\"code\":\"{code}\"")))
}

/// At both instances both.
const fn transport(number: u64) -> Transport {
    if (number / 2).is_multiple_of(2) { Transport::WebSocket } else { Transport::Polling }
}

fn add(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}

impl Side {
    fn with_seated<T>(&self, then: impl FnOnce(&mut BTreeSet<u64>) -> T) -> T {
        then(&mut self.seated.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Meter {
    fn new(rates: Vec<(&'static str, f64)>) -> Self {
        let owed = Mutex::new((Instant::now(), vec![0.0; rates.len()]));
        Self { rates, owed }
    }

    /// What is due since the last time.
    fn take(&self) -> Vec<&'static str> {
        let mut owed = self.owed.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, owed) = &mut *owed;
        let elapsed = last.elapsed().min(OWED_MAX).as_secs_f64();
        *last = Instant::now();
        let mut due = Vec::new();
        for ((what, rate), owed) in self.rates.iter().zip(owed) {
            *owed += rate * elapsed;
            due.extend(std::iter::repeat_n(*what, *owed as usize));
            *owed -= owed.trunc();
        }
        due
    }
}
