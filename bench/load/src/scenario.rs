//! What is done to a server, and the figures that come of it.

mod aged;
mod crowd;
mod meter;
mod rounds;
mod storm;
mod votes;

use std::io;
use std::time::Duration;

use crate::figures::Figures;
use crate::target::{Kind, Programs, Target};

/// The rows of the table, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scenario {
    /// 20 rooms of 10, every vote sent as soon as the last is acknowledged.
    Closed,
    /// The same with 200 rooms of 5.
    ClosedWide,
    /// 20 rooms of 10 at a constant rate of votes a second.
    Rate(u32),
    /// One room of 1,000, 50 votes a second.
    BigRoom,
    /// 20 rooms of 10 that play rounds: votes, changes, reveal, reset.
    Rounds,
    /// So many join, sit there, are dropped and come back.
    Crowd(u32),
    /// 5,000 are dropped and come back.
    Storm,
    /// 1,000 votes a second over so many rooms of 10.
    Rooms(u32),
    /// Guests join a session of so many past events, and a new one.
    Aged(u32),
}

/// For the help.
pub(crate) const NAMES: &str =
    "closed, closed-wide, rate-N, big-room, rounds, crowd-N, storm, rooms-N, aged-N";

/// How long everything takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Windows {
    pub(crate) warm_up: Duration,
    pub(crate) window: Duration,
}

impl Scenario {
    pub(crate) const TABLE: [Self; 10] = [
        Self::Closed,
        Self::ClosedWide,
        Self::Rate(500),
        Self::Rate(2_000),
        Self::BigRoom,
        Self::Rounds,
        Self::Crowd(10_000),
        Self::Storm,
        Self::Rooms(100),
        Self::Aged(10_000),
    ];

    pub(crate) fn name(self) -> String {
        match self {
            Self::Closed => "closed".to_owned(),
            Self::ClosedWide => "closed-wide".to_owned(),
            Self::Rate(rate) => format!("rate-{rate}"),
            Self::BigRoom => "big-room".to_owned(),
            Self::Rounds => "rounds".to_owned(),
            Self::Crowd(players) => format!("crowd-{players}"),
            Self::Storm => "storm".to_owned(),
            Self::Rooms(rooms) => format!("rooms-{rooms}"),
            Self::Aged(events) => format!("aged-{events}"),
        }
    }

    /// Whether it needs a server that nobody has used.
    pub(crate) const fn wants_fresh_server(self) -> bool {
        matches!(self, Self::Crowd(_) | Self::Storm | Self::Aged(_))
    }

    /// Whether `kind` can be asked for it: the floor and the peer have no past.
    pub(crate) const fn suits(self, kind: Kind) -> bool {
        !matches!(self, Self::Aged(_)) || kind.is_cardroom()
    }

    async fn run(self, target: &Target, windows: Windows) -> io::Result<Figures> {
        use votes::Load;
        match self {
            Self::Closed => votes::run(target, 20, 10, Load::Closed, windows).await,
            Self::ClosedWide => votes::run(target, 200, 5, Load::Closed, windows).await,
            Self::Rate(rate) => votes::run(target, 20, 10, Load::Rate(rate), windows).await,
            Self::BigRoom => votes::run(target, 1, 1_000, Load::Rate(50), windows).await,
            Self::Rooms(rooms) => {
                votes::run(target, rooms as usize, 10, Load::Rate(1_000), windows).await
            }
            Self::Rounds => rounds::run(target, 20, 10, windows).await,
            Self::Crowd(players) => crowd::run(target, players as usize / 10, 10).await,
            Self::Storm => storm::run(target, 500, 10).await,
            Self::Aged(events) => aged::run(target, events as usize).await,
        }
    }

    /// With the server's own word for it where connections have ended.
    async fn explained(self, target: &Target, windows: Windows) -> io::Result<Figures> {
        let mut figures = self.run(target, windows).await?;
        if figures.wrongs.has_ended_connections() {
            figures.remark = target.close_reasons().await;
        }
        Ok(figures)
    }

    /// On a server of its own where it has to be.
    pub(crate) async fn run_on(
        self,
        kind: Kind,
        shared: Option<&Target>,
        programs: &Programs,
        windows: Windows,
    ) -> io::Result<Figures> {
        match shared {
            Some(target) if !self.wants_fresh_server() => self.explained(target, windows).await,
            _ => {
                let target = Target::start(kind, programs).await?;
                let figures = self.explained(&target, windows).await;
                target.end().await;
                figures
            }
        }
    }
}

impl std::str::FromStr for Scenario {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let numbered = |prefix: &str| name.strip_prefix(prefix)?.parse().ok();
        if let Some(rate) = numbered("rate-") {
            return Ok(Self::Rate(rate));
        }
        if let Some(players) = numbered("crowd-") {
            return Ok(Self::Crowd(players));
        }
        if let Some(rooms) = numbered("rooms-") {
            return Ok(Self::Rooms(rooms));
        }
        if let Some(events) = numbered("aged-") {
            return Ok(Self::Aged(events));
        }
        let known = Self::TABLE.into_iter().find(|scenario| scenario.name() == name);
        known.ok_or_else(|| format!("one of {NAMES}"))
    }
}
