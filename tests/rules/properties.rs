//! What holds for any course of events: several seats, spectators, stories,
//! two instances, time that jumps and deadlines that are noticed late.

use cardroom::poker::command::{
    Action, Actor, Aim, Ballot, Claim, Command, Departure, Join, PasswordChange, PasswordCheck,
    PlayerEdit, Reclaim, StoryEdit,
};
use cardroom::poker::decide::next_deadline;
use cardroom::poker::deck::{Deck, Preset};
use cardroom::poker::event::{Event, Fact};
use cardroom::poker::ids::{InstanceId, JoinCode, RequestId, RoundId, SessionId, StoryId};
use cardroom::poker::play::{catch_up, play};
use cardroom::poker::policy::Policy;
use cardroom::poker::refusal::Refusal;
use cardroom::poker::round::Vote;
use cardroom::poker::session::{Opening, Session};
use cardroom::poker::settings::{Holders, Settings, SettingsPatch};
use cardroom::poker::tally::Confidence;
use cardroom::poker::timer::OnExpire;
use proptest::prelude::*;
use proptest::sample::select;

use crate::rules::invariants;
use crate::rules::table::*;

/// The first is the host, whose seat is reserved at the opening.
const NAMES: [&str; 6] = ["Hana", "Ben", "Cleo", "Dan", "Eve", "Finn"];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    #[test]
    fn whatever_happens_the_session_is_sound_and_can_be_replayed(game in game()) {
        let (opening, mut session) = game.open();
        let mut now = START;
        let mut log: Vec<Event> = Vec::new();
        for step in &game.steps {
            now = now.add_ms(step.wait_ms);
            if step.is_served {
                let before = session.clone();
                let events = catch_up(&mut session, now);
                invariants::hold_through(&before, &events, &session);
                log.extend(events);
                prop_assert!(next_deadline(&session).is_none_or(|due| now.max(session.touched_at) < due));
            }
            let before = session.clone();
            match play(&mut session, &step.command(&before, |card| card), now) {
                Ok(played) => {
                    invariants::hold_through(&before, &played.events, &session);
                    log.extend(played.events);
                }
                Err(_) => prop_assert!(session == before, "a refused command changes nothing"),
            }
        }
        invariants::replay(&opening, START, &log, &session);
    }

    #[test]
    fn every_deadline_that_is_due_takes_effect_once(game in game()) {
        let (_, mut session) = game.open();
        let mut now = START;
        for step in &game.steps {
            now = now.add_ms(step.wait_ms);
            let command = step.command(&session, |card| card);
            let _ = play(&mut session, &command, now);
        }
        // Late or not, time alone brings the session to its end, in steps.
        let elapse = Command::by_house(Action::Elapse);
        let mut steps = 0;
        while let Some(due) = next_deadline(&session) {
            now = now.max(due);
            let before = session.clone();
            let played = play(&mut session, &elapse, now).expect("time is never refused");
            prop_assert!(!played.events.is_empty(), "a deadline that is due has an effect");
            invariants::hold_through(&before, &played.events, &session);
            steps += 1;
            prop_assert!(steps < 100, "time comes to an end");
        }
        prop_assert!(!session.is_open());
        prop_assert!(play(&mut session, &elapse, now).expect("accepted").events.is_empty());
    }

    #[test]
    fn until_the_reveal_nothing_depends_on_what_was_voted(game in game(), turn in 1usize..14) {
        let (_, mut one) = game.open();
        let mut other = one.clone();
        let mut now = START;
        for step in &game.steps {
            now = now.add_ms(step.wait_ms);
            if step.is_served {
                let told = catch_up(&mut one, now);
                prop_assert!(hidden(&told) == hidden(&catch_up(&mut other, now)));
            }
            if is_revealed_anywhere(&one) {
                break;
            }
            // Every card is another one in the other game, always the same.
            let command = step.command(&one, |card| card);
            let told = play(&mut one, &command, now);
            let cards = other.deck().cards().len();
            let turned = |card: usize| (card + turn) % cards;
            let command = step.command(&other, turned);
            let told_other = play(&mut other, &command, now);
            prop_assert!(seen(told) == seen(told_other));
            if is_revealed_anywhere(&one) {
                break;
            }
            prop_assert_eq!(one.player_views(), other.player_views());
            prop_assert_eq!(one.round_view(), other.round_view());
            prop_assert_eq!(one.story_views(), other.story_views());
            prop_assert!(one.history == other.history);
            prop_assert_eq!(next_deadline(&one), next_deadline(&other));
        }
    }
}

/// What others are told of a command: the facts without the votes, or the code.
fn seen(result: Result<cardroom::poker::play::Played, Refusal>) -> Result<Vec<Event>, String> {
    result.map(|played| hidden(&played.events)).map_err(|refusal| refusal.code().to_owned())
}

/// The events as others may know them: with one and the same vote for all,
/// and without the answers, which only the sender gets. Revealed votes are
/// free to differ.
fn hidden(events: &[Event]) -> Vec<Event> {
    let before_reveal =
        events.iter().take_while(|event| !matches!(event.fact, Fact::Revealed { .. }));
    before_reveal
        .map(|event| {
            let mut event = Event { request: None, ..event.clone() };
            if let Fact::VoteCast { vote, .. } = &mut event.fact {
                let card = "?".parse().expect("a card");
                *vote = Vote::new(card, None, vote.disclose().cast_at);
            }
            event
        })
        .collect()
}

fn is_revealed_anywhere(session: &Session) -> bool {
    session.round.is_revealed() || session.history.iter().any(|round| round.results.is_some())
}

#[derive(Debug, Clone)]
struct Game {
    auto_reveal: bool,
    countdown_ms: u32,
    anonymous: bool,
    may_change: bool,
    timer_auto_start: bool,
    open_permissions: bool,
    small: bool,
    steps: Vec<Step>,
}

#[derive(Debug, Clone)]
struct Step {
    wait_ms: u64,
    /// Whether an instance notices the deadlines before the command.
    is_served: bool,
    who: usize,
    request: Option<u8>,
    what: Move,
}

#[derive(Debug, Clone)]
enum Move {
    Join { instance: u64, reserved: bool, watches: Option<bool>, renamed: bool },
    JoinBare { open: bool },
    Depart { instance: u64, manner: u8 },
    ForgetInstance { instance: u64 },
    Elapse,
    Vote { card: usize, confidence: u8, is_change: bool, is_stale: bool },
    Retract,
    Reveal { is_stale: bool },
    CancelCountdown,
    Reset { has_story: bool },
    Restore,
    Rename { to: usize },
    Watch { target: usize, is_spectator: bool, is_own: bool },
    Away { is_away: bool },
    Remove { target: usize, ban: bool },
    Role { target: usize, kind: u8 },
    Nudge { target: Option<usize> },
    React,
    Retitle { story: u32 },
    Create { after: Option<u32> },
    Import,
    Delete { story: u32 },
    Reorder { story: u32, before: Option<u32> },
    Activate { story: u32 },
    Finalize { story: u32, is_set: bool },
    StartTimer { seconds: u16, reveals: bool },
    Timer { kind: u8, seconds: i32 },
    Configure { kind: u8, flag: bool },
    Lock { is_locked: bool },
    End,
}

impl Game {
    fn open(&self) -> (Opening, Session) {
        let mut settings = Settings::new(text("Game"), Deck::preset(Preset::Fibonacci));
        settings.auto_reveal = self.auto_reveal;
        settings.reveal_countdown_ms = self.countdown_ms;
        settings.anonymous = self.anonymous;
        settings.allow_change_after_reveal = self.may_change;
        settings.timer_auto_start = self.timer_auto_start;
        if self.open_permissions {
            settings.permissions = cardroom::poker::settings::Permissions::OPEN;
        }
        let mut policy = Policy::default();
        if self.small {
            settings.max_players = 4;
            policy = Policy {
                players_max: 5,
                kept_seats_max: 1,
                stories_max: 4,
                history_rounds_max: 2,
                removed_seats_max: 100,
                session_ttl_ms: 30 * MINUTE,
                disconnect_grace_ms: 0,
                ..policy
            };
        }
        let opening = Opening {
            id: SessionId::from_random([1; 10]),
            code: JoinCode::from_random([1; 5]),
            policy,
            settings,
            password: None,
            host: player(NAMES[0]),
            host_name: text(NAMES[0]),
            host_avatar: Default::default(),
        };
        let session = Session::open(&opening, START);
        (opening, session)
    }
}

impl Step {
    /// The command, with ids that are current in `session` unless it is to be
    /// stale; `turn` says which card is played for a card.
    fn command(&self, session: &Session, turn: impl Fn(usize) -> usize) -> Command {
        let name = NAMES[self.who];
        let by = match &self.what {
            Move::Join { .. } | Move::JoinBare { .. } => Actor::Visitor,
            Move::Depart { .. } | Move::ForgetInstance { .. } | Move::Elapse => Actor::House,
            _ => Actor::Seat(player(name)),
        };
        let request = self
            .request
            .map(|number| -> RequestId { format!("r{number}").parse().expect("a request id") });
        Command { by, request, action: self.action(session, name, turn) }
    }

    fn action(&self, session: &Session, name: &str, turn: impl Fn(usize) -> usize) -> Action {
        let target = |index: &usize| player(NAMES[*index]);
        let story = |number: u32| StoryId(number);
        let patch = SettingsPatch::default;
        match &self.what {
            Move::Join { instance, reserved, watches, renamed } => {
                let knows = session.seats.contains_key(&player(name));
                let claim = if knows {
                    Claim::Token { player: player(name), generation: 0 }
                } else {
                    Claim::New { player: player(name) }
                };
                Action::Join(Join {
                    claim,
                    name: Some(text(if *renamed { "Somebody" } else { name })),
                    avatar: None,
                    is_spectator: *watches,
                    password: PasswordCheck::Right,
                    instance: (!reserved).then_some(InstanceId(*instance)),
                })
            }
            Move::JoinBare { open } => {
                let reclaim = if *open { Reclaim::Open } else { Reclaim::Token };
                let claim = Claim::Bare { player: player(name), reclaim };
                Action::Join(Join { claim, ..newcomer(name) })
            }
            Move::Depart { instance, manner } => Action::Depart {
                player: player(name),
                instance: InstanceId(*instance),
                manner: match manner {
                    0 => Departure::Leaving,
                    1 => Departure::Disconnected,
                    _ => Departure::Drained,
                },
            },
            Move::ForgetInstance { instance } => {
                Action::ForgetInstance { instance: InstanceId(*instance) }
            }
            Move::Elapse => Action::Elapse,
            Move::Vote { card, confidence, is_change, is_stale } => {
                let cards = session.deck().cards();
                let ballot = Ballot {
                    story: session.round.story,
                    round: is_stale.then_some(RoundId(0)),
                    value: cards[turn(*card % cards.len())].as_str().into(),
                    confidence: Confidence::try_from(*confidence).ok(),
                };
                if *is_change { Action::ChangeVote(ballot) } else { Action::SubmitVote(ballot) }
            }
            Move::Retract => Action::RetractVote { aim: Aim::default() },
            Move::Reveal { is_stale } => {
                Action::Reveal { aim: Aim { story: None, round: is_stale.then_some(RoundId(0)) } }
            }
            Move::CancelCountdown => Action::CancelCountdown,
            Move::Reset { has_story } => {
                Action::Reset { aim: Aim::default(), new_story: has_story.then(|| titled("Next")) }
            }
            Move::Restore => {
                let round = session.restorable.as_ref().map(|known| known.round.id);
                Action::RestoreRound { round: round.unwrap_or_default() }
            }
            Move::Rename { to } => Action::UpdatePlayer(PlayerEdit {
                name: Some(text(NAMES[*to])),
                ..PlayerEdit::default()
            }),
            Move::Watch { is_spectator, is_own: true, .. } => watch(*is_spectator),
            Move::Watch { target: whom, is_spectator, .. } => {
                Action::SetSpectator { player: target(whom), is_spectator: *is_spectator }
            }
            Move::Away { is_away } => Action::SetAway { is_away: *is_away },
            Move::Remove { target: whom, ban } => {
                Action::RemovePlayer { player: target(whom), ban: *ban }
            }
            Move::Role { target: whom, kind } => match kind {
                0 => Action::Promote { player: target(whom) },
                1 => Action::Demote { player: target(whom) },
                _ => Action::Transfer { player: target(whom) },
            },
            Move::Nudge { target: whom } => Action::Nudge { player: whom.as_ref().map(target) },
            Move::React => Action::React { emoji: text("👍") },
            Move::Retitle { story: number } => Action::UpdateStory(StoryEdit {
                story: Some(story(*number)),
                text: titled(if self.wait_ms.is_multiple_of(2) { "One" } else { "Two" }),
            }),
            Move::Create { after } => Action::CreateStory {
                text: titled("New"),
                after: after.map(story),
                client_ref: None,
            },
            Move::Import => Action::ImportStories { texts: vec![titled("A"), titled("B")] },
            Move::Delete { story: number } => Action::DeleteStory { story: story(*number) },
            Move::Reorder { story: number, before } => {
                Action::ReorderStory { story: story(*number), before: before.map(story) }
            }
            Move::Activate { story: number } => activate(*number),
            Move::Finalize { story: number, is_set } => {
                finalize(*number, is_set.then_some("5 days"))
            }
            Move::StartTimer { seconds, reveals } => Action::StartTimer {
                seconds: Some(*seconds),
                on_expire: reveals.then_some(OnExpire::Reveal),
                story: None,
            },
            Move::Timer { kind, seconds } => match kind {
                0 => Action::StopTimer,
                1 => Action::PauseTimer,
                2 => Action::ResumeTimer,
                _ => Action::ExtendTimer { seconds: *seconds },
            },
            Move::Configure { kind, flag } => Action::Configure {
                patch: match kind {
                    0 => SettingsPatch { auto_reveal: Some(*flag), ..patch() },
                    1 => SettingsPatch { anonymous: Some(*flag), ..patch() },
                    2 => SettingsPatch { allow_change_after_reveal: Some(*flag), ..patch() },
                    3 => SettingsPatch { reveal: Some(Holders::Everyone), ..patch() },
                    4 => SettingsPatch { list_passes: Some(*flag), ..patch() },
                    _ => {
                        let preset = if *flag { Preset::TShirt } else { Preset::Fibonacci };
                        SettingsPatch { deck: Some(Deck::preset(preset)), ..patch() }
                    }
                },
                password: PasswordChange::Keep,
                force: self.wait_ms.is_multiple_of(2),
            },
            Move::Lock { is_locked } => Action::Lock { is_locked: *is_locked },
            Move::End => Action::End,
        }
    }
}

fn game() -> impl Strategy<Value = Game> {
    let flags = any::<[bool; 6]>();
    let steps = prop::collection::vec(step(), 1..80);
    (flags, select(vec![0u32, 3_000]), steps).prop_map(|(flags, countdown_ms, steps)| {
        let [auto_reveal, anonymous, may_change, timer_auto_start, open_permissions, small] = flags;
        // Games begin with people: most of what follows needs them.
        let everybody = (0..4).map(|who| Step {
            wait_ms: 1,
            is_served: true,
            who,
            request: None,
            what: Move::Join { instance: 1, reserved: false, watches: None, renamed: false },
        });
        Game {
            auto_reveal,
            countdown_ms,
            anonymous,
            may_change,
            timer_auto_start,
            open_permissions,
            small,
            steps: everybody.chain(steps).collect(),
        }
    })
}

fn step() -> impl Strategy<Value = Step> {
    let wait_ms = prop_oneof![
        120 => 0u64..2_000,
        30 => 2_000u64..40_000,
        5 => MINUTE..HOUR,
        1 => HOUR..26 * HOUR,
    ];
    let who = prop_oneof![2 => Just(0usize), 3 => 0..4usize, 1 => 0..NAMES.len()];
    let request = prop::option::weighted(0.3, 0u8..24);
    (wait_ms, prop::bool::weighted(0.9), who, request, a_move()).prop_map(
        |(wait_ms, is_served, who, request, what)| Step { wait_ms, is_served, who, request, what },
    )
}

fn a_move() -> impl Strategy<Value = Move> {
    let target = || 0..NAMES.len();
    let story = || 1u32..6;
    let instance = || 1u64..3;
    let coming_and_going = prop_oneof![
        4 => (instance(), prop::bool::weighted(0.1), prop::option::weighted(0.2, any::<bool>()), prop::bool::weighted(0.1))
            .prop_map(|(instance, reserved, watches, renamed)| Move::Join {
                instance, reserved, watches, renamed
            }),
        1 => any::<bool>().prop_map(|open| Move::JoinBare { open }),
        3 => (instance(), 0u8..3).prop_map(|(instance, manner)| Move::Depart { instance, manner }),
        1 => instance().prop_map(|instance| Move::ForgetInstance { instance }),
        1 => Just(Move::Elapse),
    ];
    let the_round = prop_oneof![
        10 => (0usize..14, 0u8..6, prop::bool::weighted(0.3), prop::bool::weighted(0.05)).prop_map(
            |(card, confidence, is_change, is_stale)| Move::Vote {
                card, confidence, is_change, is_stale
            }
        ),
        1 => Just(Move::Retract),
        3 => prop::bool::weighted(0.1).prop_map(|is_stale| Move::Reveal { is_stale }),
        1 => Just(Move::CancelCountdown),
        2 => any::<bool>().prop_map(|has_story| Move::Reset { has_story }),
        2 => Just(Move::Restore),
    ];
    let people = prop_oneof![
        1 => target().prop_map(|to| Move::Rename { to }),
        3 => (target(), any::<bool>(), any::<bool>()).prop_map(|(target, is_spectator, is_own)| {
            Move::Watch { target, is_spectator, is_own }
        }),
        1 => any::<bool>().prop_map(|is_away| Move::Away { is_away }),
        1 => (target(), any::<bool>()).prop_map(|(target, ban)| Move::Remove { target, ban }),
        2 => (target(), 0u8..3).prop_map(|(target, kind)| Move::Role { target, kind }),
        1 => prop::option::of(target()).prop_map(|target| Move::Nudge { target }),
        1 => Just(Move::React),
    ];
    let stories = prop_oneof![
        1 => story().prop_map(|story| Move::Retitle { story }),
        2 => prop::option::of(story()).prop_map(|after| Move::Create { after }),
        1 => Just(Move::Import),
        1 => story().prop_map(|story| Move::Delete { story }),
        1 => (story(), prop::option::of(story()))
            .prop_map(|(story, before)| Move::Reorder { story, before }),
        4 => story().prop_map(|story| Move::Activate { story }),
        1 => (story(), any::<bool>()).prop_map(|(story, is_set)| Move::Finalize { story, is_set }),
    ];
    let timer = prop_oneof![
        2 => (1u16..120, any::<bool>())
            .prop_map(|(seconds, reveals)| Move::StartTimer { seconds, reveals }),
        2 => (0u8..4, -600i32..=600).prop_map(|(kind, seconds)| Move::Timer { kind, seconds }),
    ];
    let whole = prop_oneof![
        30 => (0u8..6, any::<bool>()).prop_map(|(kind, flag)| Move::Configure { kind, flag }),
        5 => any::<bool>().prop_map(|is_locked| Move::Lock { is_locked }),
        1 => Just(Move::End),
    ];
    prop_oneof![
        5 => coming_and_going,
        14 => the_round,
        4 => people,
        4 => stories,
        2 => timer,
        2 => whole,
    ]
}
