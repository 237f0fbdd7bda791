//! A table to play at: seats by name, actions in a word, a clock to turn.

use cardroom::poker::command::{
    Action, Actor, Aim, Ballot, Claim, Command, Departure, Join, PasswordChange, PasswordCheck,
    PlayerEdit, StoryEdit,
};
use cardroom::poker::deck::{Deck, Preset};
use cardroom::poker::event::{Event, Fact};
use cardroom::poker::ids::{
    InstanceId, JoinCode, Millis, PlayerId, RequestId, RoundId, SessionId, StoryId,
};
use cardroom::poker::play::{Played, catch_up, play};
use cardroom::poker::policy::Policy;
use cardroom::poker::refusal::Refusal;
use cardroom::poker::reply::Reply;
use cardroom::poker::round::Results;
use cardroom::poker::seat::Seat;
use cardroom::poker::session::{Opening, Session};
use cardroom::poker::settings::{Settings, SettingsPatch};
use cardroom::poker::story::StoryText;
use cardroom::poker::tally::Confidence;

use crate::rules::invariants;

pub(super) const SECOND: u64 = 1_000;
pub(super) const MINUTE: u64 = 60 * SECOND;
pub(super) const HOUR: u64 = 60 * MINUTE;
/// When every session of these tests is opened.
pub(super) const START: Millis = Millis(1_700_000_000_000);
/// Stands for the story that is current when the command is played.
pub(super) const CURRENT: StoryId = StoryId(0);
pub(super) const HERE: InstanceId = InstanceId(1);
pub(super) const THERE: InstanceId = InstanceId(2);

#[derive(Clone)]
pub(super) struct Table {
    pub(super) session: Session,
    pub(super) now: Millis,
    opening: Opening,
    log: Vec<Event>,
}

impl Table {
    /// A session as HTTP opens it: Hana's seat is reserved, nobody is there.
    pub(super) fn opened_with(change: impl FnOnce(&mut Settings, &mut Policy)) -> Self {
        let mut settings = Settings::new(text("Sprint 12"), Deck::preset(Preset::Fibonacci));
        let mut policy = Policy::default();
        change(&mut settings, &mut policy);
        let opening = Opening {
            id: SessionId::from_random([7; 10]),
            code: JoinCode::from_random([7; 5]),
            policy,
            settings,
            password: None,
            host: player("Hana"),
            host_name: text("Hana"),
            host_avatar: "🦊".parse().expect("an avatar"),
        };
        let session = Session::open(&opening, START);
        Self { session, now: START, opening, log: Vec::new() }
    }

    pub(super) fn opened() -> Self {
        Self::opened_with(|_, _| {})
    }

    /// Hana, the host, and others, all online and quiet.
    pub(super) fn seating<const N: usize>(others: [&str; N]) -> Self {
        Self::seating_with(others, |_| {})
    }

    pub(super) fn seating_with<const N: usize>(
        others: [&str; N],
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let mut table = Self::opened_with(|settings, _| change(settings));
        table.comes_back("Hana").then("SeatReturned");
        for name in others {
            // A moment apart: who came first is never a coin toss.
            table.now = table.now.add_ms(10);
            table.arrives(name).then("SeatTaken");
        }
        table
    }

    /// Plays a command of somebody with a seat.
    pub(super) fn when(&mut self, name: &str, action: Action) -> Told {
        self.plays(&Command::by_seat(player(name), action))
    }

    pub(super) fn when_as(&mut self, name: &str, request: &str, action: Action) -> Told {
        let request: RequestId = request.parse().expect("a request id");
        let by = Actor::Seat(player(name));
        self.plays(&Command { by, request: Some(request), action })
    }

    pub(super) fn house(&mut self, action: Action) -> Told {
        self.plays(&Command::by_house(action))
    }

    /// A newcomer takes a seat at the instance [`HERE`].
    pub(super) fn arrives(&mut self, name: &str) -> Told {
        self.joins(newcomer(name))
    }

    /// Somebody with a token comes to the instance [`HERE`].
    pub(super) fn comes_back(&mut self, name: &str) -> Told {
        self.joins(holder(name))
    }

    pub(super) fn joins(&mut self, join: Join) -> Told {
        self.plays(&Command { by: Actor::Visitor, request: None, action: Action::Join(join) })
    }

    /// The last socket of a seat at [`HERE`] goes away.
    pub(super) fn departs(&mut self, name: &str, manner: Departure) -> Told {
        let player = player(name);
        self.house(Action::Depart { player, instance: HERE, manner })
    }

    pub(super) fn loses(&mut self, name: &str) -> Told {
        self.departs(name, Departure::Disconnected)
    }

    pub(super) fn leaves(&mut self, name: &str) -> Told {
        self.departs(name, Departure::Leaving)
    }

    /// Time passes, with whatever it brings about on the way.
    pub(super) fn after(&mut self, milliseconds: u64) -> Told {
        let end = self.now.add_ms(milliseconds);
        let before = self.session.clone();
        let mut events = Vec::new();
        while let Some(due) = cardroom::poker::decide::next_deadline(&self.session)
            && due <= end
        {
            self.now = self.now.max(due);
            events.extend(catch_up(&mut self.session, self.now));
        }
        self.now = end;
        self.judge(&before, &events);
        Told { result: Ok(Played { events, reply: Reply::Done }) }
    }

    /// Nobody serves the session for a while: whatever is due waits.
    pub(super) fn sleeps(&mut self, milliseconds: u64) {
        self.now = self.now.add_ms(milliseconds);
    }

    pub(super) fn wakes(&mut self) -> Told {
        self.after(0)
    }

    pub(super) fn plays(&mut self, command: &Command) -> Told {
        let mut command = command.clone();
        if let Action::SubmitVote(ballot) | Action::ChangeVote(ballot) = &mut command.action
            && ballot.story == CURRENT
        {
            ballot.story = self.session.round.story;
        }
        let before = self.session.clone();
        let result = play(&mut self.session, &command, self.now);
        match &result {
            Ok(played) => self.judge(&before, &played.events),
            Err(_) => assert!(self.session == before, "a refused command changes nothing"),
        }
        Told { result }
    }

    pub(super) fn seat(&self, name: &str) -> &Seat {
        self.session.seats.get(&player(name)).expect("a seat")
    }

    pub(super) fn results(&self) -> &Results {
        self.session.round.results().expect("a revealed round")
    }

    fn judge(&mut self, before: &Session, events: &[Event]) {
        invariants::hold_through(before, events, &self.session);
        self.log.extend(events.iter().cloned());
        invariants::replay(&self.opening, START, &self.log, &self.session);
    }
}

/// What came of a command, or of time.
pub(super) struct Told {
    pub(super) result: Result<Played, Refusal>,
}

impl Told {
    /// Accepted, and exactly these facts, by name.
    #[track_caller]
    pub(super) fn then(&self, facts: &str) -> &Self {
        let names: Vec<String> = self.facts().into_iter().map(name_of).collect();
        assert_eq!(names.join(", "), facts);
        self
    }

    /// Accepted, and nothing to tell.
    #[track_caller]
    pub(super) fn changes_nothing(&self) -> &Self {
        self.then("")
    }

    #[track_caller]
    pub(super) fn refused(&self, code: &str) {
        match &self.result {
            Ok(_) => panic!("{code} expected, but it was accepted"),
            Err(refusal) => assert_eq!(refusal.code(), code),
        }
    }

    #[track_caller]
    pub(super) fn replies(&self, reply: &Reply) -> &Self {
        assert!(self.played().reply == *reply, "{:?}", self.played().reply);
        self
    }

    #[track_caller]
    pub(super) fn facts(&self) -> Vec<&Fact> {
        self.played().events.iter().map(|event| &event.fact).collect()
    }

    #[track_caller]
    pub(super) fn only_fact(&self) -> &Fact {
        match self.facts().as_slice() {
            [fact] => fact,
            facts => panic!("{} facts", facts.len()),
        }
    }

    #[track_caller]
    pub(super) fn played(&self) -> &Played {
        self.result.as_ref().expect("an accepted command")
    }
}

fn name_of(fact: &Fact) -> String {
    let shown = format!("{fact:?}");
    shown.chars().take_while(|c| c.is_alphanumeric()).collect()
}

/// The id of a name: its letters. Ids sort as names do.
pub(super) fn player(name: &str) -> PlayerId {
    let mut bytes = [0; 16];
    for (place, byte) in bytes.iter_mut().zip(name.bytes()) {
        *place = byte;
    }
    PlayerId::from_bytes(bytes)
}

pub(super) fn text<T: std::str::FromStr<Err: std::fmt::Debug>>(raw: &str) -> T {
    raw.parse().expect("a valid text")
}

pub(super) fn newcomer(name: &str) -> Join {
    Join {
        claim: Claim::New { player: player(name) },
        name: Some(text(name)),
        avatar: None,
        is_spectator: None,
        password: PasswordCheck::Absent,
        instance: Some(HERE),
    }
}

pub(super) fn holder(name: &str) -> Join {
    let claim = Claim::Token { player: player(name), generation: 0 };
    Join { claim, name: None, ..newcomer(name) }
}

pub(super) fn ballot(value: &str) -> Ballot {
    Ballot { story: CURRENT, round: None, value: value.into(), confidence: None }
}

pub(super) fn vote(value: &str) -> Action {
    Action::SubmitVote(ballot(value))
}

pub(super) fn sure_vote(value: &str, confidence: u8) -> Action {
    let confidence = Confidence::try_from(confidence).ok();
    Action::SubmitVote(Ballot { confidence, ..ballot(value) })
}

pub(super) fn change(value: &str) -> Action {
    Action::ChangeVote(ballot(value))
}

pub(super) fn retract() -> Action {
    Action::RetractVote { aim: Aim::default() }
}

pub(super) fn reveal() -> Action {
    Action::Reveal { aim: Aim::default() }
}

pub(super) fn reset() -> Action {
    Action::Reset { aim: Aim::default(), new_story: None }
}

pub(super) fn reset_to(title: &str) -> Action {
    Action::Reset { aim: Aim::default(), new_story: Some(titled(title)) }
}

pub(super) fn aim_at_round(round: u32) -> Aim {
    Aim { story: None, round: Some(RoundId(round)) }
}

pub(super) fn titled(title: &str) -> StoryText {
    StoryText { title: Some(text(title)), ..StoryText::default() }
}

pub(super) fn create(title: &str) -> Action {
    Action::CreateStory { text: titled(title), after: None, client_ref: None }
}

pub(super) fn activate(story: u32) -> Action {
    Action::ActivateStory { story: StoryId(story), round: None }
}

pub(super) fn retitle(title: &str) -> Action {
    Action::UpdateStory(StoryEdit { story: None, text: titled(title) })
}

pub(super) fn finalize(story: u32, estimate: Option<&str>) -> Action {
    Action::FinalizeStory { story: StoryId(story), estimate: estimate.map(text) }
}

pub(super) fn rename(name: &str) -> Action {
    Action::UpdatePlayer(PlayerEdit { name: Some(text(name)), ..PlayerEdit::default() })
}

pub(super) fn watch(is_spectator: bool) -> Action {
    let is_spectator = Some(is_spectator);
    Action::UpdatePlayer(PlayerEdit { is_spectator, ..PlayerEdit::default() })
}

pub(super) fn start_timer(seconds: u16) -> Action {
    Action::StartTimer { seconds: Some(seconds), on_expire: None, story: None }
}

pub(super) fn configure(patch: SettingsPatch) -> Action {
    Action::Configure { patch, password: PasswordChange::Keep, force: false }
}

pub(super) fn remove(name: &str) -> Action {
    Action::RemovePlayer { player: player(name), ban: false }
}
