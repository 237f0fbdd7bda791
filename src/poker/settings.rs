//! What a host can choose for a session, and the changes asked for.

use crate::poker::deck::Deck;
use crate::poker::names::SessionName;
use crate::poker::policy::Policy;
use crate::poker::refusal::Refusal;
use crate::poker::timer::OnExpire;
use crate::poker::word::words;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub name: SessionName,
    pub deck: Deck,
    pub auto_reveal: bool,
    pub reveal_countdown_ms: u32,
    pub allow_change_after_reveal: bool,
    pub anonymous: bool,
    pub confidence: bool,
    /// Whether a reveal lists those who could have voted and did not.
    pub list_passes: bool,
    pub timer_seconds: u16,
    pub timer_auto_start: bool,
    pub timer_on_expire: OnExpire,
    /// Consensus needs at least this share of the countable votes, in percent.
    pub consensus_percent: u8,
    pub permissions: Permissions,
    pub locked: bool,
    pub max_players: u16,
    pub reactions: bool,
}

impl Settings {
    pub fn new(name: SessionName, deck: Deck) -> Self {
        Self {
            name,
            deck,
            auto_reveal: false,
            reveal_countdown_ms: 3_000,
            allow_change_after_reveal: false,
            anonymous: false,
            confidence: true,
            list_passes: true,
            timer_seconds: 60,
            timer_auto_start: false,
            timer_on_expire: OnExpire::Nothing,
            consensus_percent: 80,
            permissions: Permissions::default(),
            locked: false,
            max_players: 50,
            reactions: true,
        }
    }
}

/// Who may do what; host and facilitators always may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Permissions {
    pub reveal: Holders,
    pub reset: Holders,
    pub story: Holders,
    pub timer: Holders,
}

impl Permissions {
    /// The preset `open`.
    pub const OPEN: Self = Self {
        reveal: Holders::Everyone,
        reset: Holders::Everyone,
        story: Holders::Everyone,
        timer: Holders::Everyone,
    };
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Holders {
    Everyone,
    #[default]
    Facilitators,
}

words! { Holders {
    Everyone "everyone",
    Facilitators "facilitators",
} }

/// Changes of settings; what is `None` stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SettingsPatch {
    pub name: Option<SessionName>,
    pub deck: Option<Deck>,
    pub auto_reveal: Option<bool>,
    pub reveal_countdown_ms: Option<u32>,
    pub allow_change_after_reveal: Option<bool>,
    pub anonymous: Option<bool>,
    pub confidence: Option<bool>,
    pub list_passes: Option<bool>,
    pub timer_seconds: Option<u16>,
    pub timer_auto_start: Option<bool>,
    pub timer_on_expire: Option<OnExpire>,
    pub consensus_percent: Option<u8>,
    pub reveal: Option<Holders>,
    pub reset: Option<Holders>,
    pub story: Option<Holders>,
    pub timer: Option<Holders>,
    pub locked: Option<bool>,
    pub max_players: Option<u16>,
    pub reactions: Option<bool>,
}

impl SettingsPatch {
    /// Names the first value that is out of its range.
    pub fn check(&self, policy: &Policy) -> Result<(), Refusal> {
        fn within<T: PartialOrd + Copy>(
            value: Option<T>,
            low: T,
            high: T,
            field: &'static str,
            expected: &'static str,
        ) -> Result<(), Refusal> {
            match value {
                Some(value) if value < low || high < value => {
                    Err(Refusal::BadValue { field, expected })
                }
                _ => Ok(()),
            }
        }
        within(
            self.reveal_countdown_ms,
            0,
            10_000,
            "revealCountdownMs",
            "milliseconds from 0 to 10000",
        )?;
        within(self.timer_seconds, 0, 3_600, "timerSeconds", "seconds from 0 to 3600")?;
        within(self.consensus_percent, 51, 100, "consensusThreshold", "a number from 0.51 to 1")?;
        within(
            self.max_players,
            2,
            policy.players_max,
            "maxPlayers",
            "a whole number from 2 to the server's limit",
        )
    }

    /// `settings` with these changes, and the wire names of what changed.
    pub fn applied_to(&self, settings: &Settings) -> (Settings, Vec<&'static str>) {
        let mut next = settings.clone();
        let mut changed = Vec::new();
        macro_rules! set {
            ($($value:expr => $($place:ident).+, $name:literal;)*) => {$(
                if let Some(value) = &$value && next.$($place).+ != *value {
                    next.$($place).+ = value.clone();
                    if !changed.contains(&$name) {
                        changed.push($name);
                    }
                }
            )*};
        }
        set! {
            self.name => name, "name";
            self.deck => deck, "deck";
            self.auto_reveal => auto_reveal, "autoReveal";
            self.reveal_countdown_ms => reveal_countdown_ms, "revealCountdownMs";
            self.allow_change_after_reveal => allow_change_after_reveal, "allowChangeAfterReveal";
            self.anonymous => anonymous, "anonymous";
            self.confidence => confidence, "confidence";
            self.list_passes => list_passes, "listPasses";
            self.timer_seconds => timer_seconds, "timerSeconds";
            self.timer_auto_start => timer_auto_start, "timerAutoStart";
            self.timer_on_expire => timer_on_expire, "timerOnExpire";
            self.consensus_percent => consensus_percent, "consensusThreshold";
            self.reveal => permissions.reveal, "permissions";
            self.reset => permissions.reset, "permissions";
            self.story => permissions.story, "permissions";
            self.timer => permissions.timer, "permissions";
            self.locked => locked, "locked";
            self.max_players => max_players, "maxPlayers";
            self.reactions => reactions, "reactions";
        }
        (next, changed)
    }
}
