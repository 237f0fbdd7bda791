//! The whole matrix of role, command and phase against the catalogue. What a
//! command does beyond being accepted is told by the stories beside this one;
//! over real sockets the same table is tried in `tests/secrecy/roles.rs`.

pub(crate) mod catalogue;

use std::fmt::Write as _;

use cardroom::api::client_event::EventName;
use cardroom::poker::command::{Action, Actor, Command, Join, PlayerEdit};
use cardroom::poker::ids::{RoundId, StoryId};
use cardroom::poker::names::Emoji;
use cardroom::poker::refusal::Refusal;
use cardroom::poker::settings::{Permissions, SettingsPatch};

use crate::rules::permissions::catalogue::{Phase, RULES, Role, Verdict};
use crate::rules::table::*;

/// Vic is the one to whom things are done.
const EVERYBODY: [&str; 6] = ["Fay", "Ben", "Pia", "Vic", "Sol", "Rex"];
const VOTERS: [&str; 5] = ["Hana", "Fay", "Ben", "Pia", "Vic"];

#[test]
fn every_event_of_the_catalogue_has_a_rule() {
    for event in EventName::ALL {
        let rules = RULES.iter().filter(|rule| rule.event == *event).count();
        assert_eq!(rules, 1, "{}", event.as_str());
    }
    assert_eq!(RULES.len(), 37);
}

#[test]
fn every_cell_of_role_command_and_phase_is_as_the_catalogue_says() {
    let mut differences = String::new();
    let mut cells = 0;
    let mut matrix = String::new();
    let bases: Vec<(Table, Table)> =
        Phase::ALL.iter().map(|phase| (base(*phase, false), base(*phase, true))).collect();
    for rule in RULES {
        let _ = write!(matrix, "\n{:<22}", rule.event.as_str());
        for (phase, (led, acted)) in Phase::ALL.iter().zip(&bases) {
            matrix.push(' ');
            for role in Role::ALL {
                let table = if *role == Role::Acting { acted } else { led };
                let Some(verdict) = tried(table, rule.event, *role, *phase) else {
                    matrix.push('·');
                    continue;
                };
                cells += 1;
                matrix.push(letter(verdict.0));
                let expected = rule.expected(*role, *phase);
                let required = match expected {
                    Verdict::Refused("FORBIDDEN") => rule.who.required(),
                    _ => "",
                };
                if verdict != (expected, required) {
                    let event = rule.event.as_str();
                    let _ = writeln!(
                        differences,
                        "{event} by {role:?} in {phase:?}: {verdict:?}, not {expected:?} {required}"
                    );
                }
            }
        }
    }
    show(&matrix, cells);
    assert_eq!(differences, "");
    // 32 commands of the game; nobody leads in `Unattended`.
    assert_eq!(cells, 32 * (Phase::ALL.len() * Role::ALL.len() - 2));
}

#[test]
fn rights_end_with_the_role() {
    let mut table = base(Phase::Voted, false);
    table.when("Hana", Action::Demote { player: player("Fay") }).then("SeatUpdated");
    table.when("Fay", reveal()).refused("FORBIDDEN");
    table.when("Hana", Action::Transfer { player: player("Ben") }).then("HostChanged");
    table.when("Hana", Action::End).refused("FORBIDDEN");
    table.when("Hana", reveal()).then("Revealed");
    table.when("Ben", Action::End).then("Ended");
}

#[test]
fn whoever_is_first_in_the_log_wins() {
    let demote = || Action::Demote { player: player("Fay") };
    let mut table = base(Phase::Voted, false);
    table.when("Fay", reveal()).then("Revealed");
    table.when("Hana", demote()).then("SeatUpdated");

    let mut table = base(Phase::Voted, false);
    table.when("Hana", demote()).then("SeatUpdated");
    table.when("Fay", reveal()).refused("FORBIDDEN");
}

/// What the rules say, with what FORBIDDEN requires; `None` where there is no
/// such person, or no such command of the game.
fn tried(
    table: &Table,
    event: EventName,
    role: Role,
    phase: Phase,
) -> Option<(Verdict, &'static str)> {
    if !phase.has(role) {
        return None;
    }
    let mut table = table.clone();
    let name = match role {
        Role::Host => "Hana",
        Role::Acting => "Ben",
        Role::Facilitator => "Fay",
        Role::Player => "Pia",
        Role::Spectator => "Sol",
        Role::Removed => "Rex",
        Role::Stranger => "Zoe",
    };
    let told = match (event, role) {
        (EventName::SessionJoin, Role::Stranger) => table.arrives(name),
        (EventName::SessionJoin, _) => table.joins(Join { instance: Some(THERE), ..holder(name) }),
        _ => {
            let by = match role {
                Role::Stranger => Actor::Visitor,
                _ => Actor::Seat(player(name)),
            };
            let action = action(event, phase)?;
            table.plays(&Command { by, request: None, action })
        }
    };
    Some(match &told.result {
        Ok(played) if played.events.is_empty() => (Verdict::Same, ""),
        Ok(_) => (Verdict::Done, ""),
        Err(Refusal::Forbidden { required }) => (Verdict::Refused("FORBIDDEN"), required.as_str()),
        Err(refusal) => (Verdict::Refused(refusal.code()), ""),
    })
}

/// What each command asks for; `None` for events that are no commands of the
/// game: the table answers them by itself, or for the house.
fn action(event: EventName, phase: Phase) -> Option<Action> {
    let vic = player("Vic");
    let other = if phase == Phase::Parked { 1 } else { 2 };
    Some(match event {
        EventName::SessionCreate
        | EventName::SessionJoin
        | EventName::SessionLeave
        | EventName::SessionSync
        | EventName::HistoryGet
        | EventName::Heartbeat => return None,
        EventName::SessionConfigure => {
            configure(SettingsPatch { name: Some(text("Ours")), ..SettingsPatch::default() })
        }
        EventName::SessionLock => Action::Lock { is_locked: true },
        EventName::SessionEnd => Action::End,
        EventName::PlayerUpdate => Action::UpdatePlayer(PlayerEdit {
            avatar: Some("🐢".parse().expect("an avatar")),
            ..PlayerEdit::default()
        }),
        EventName::PlayerSetSpectator => Action::SetSpectator { player: vic, is_spectator: true },
        EventName::PlayerRemove => remove("Vic"),
        EventName::PlayerPromote => Action::Promote { player: vic },
        EventName::PlayerDemote => Action::Demote { player: player("Fay") },
        EventName::PlayerTransfer => Action::Transfer { player: vic },
        EventName::PlayerNudge => Action::Nudge { player: Some(vic) },
        EventName::PresenceSet => Action::SetAway { is_away: true },
        EventName::ReactionSend => Action::React { emoji: text(Emoji::ALL[0]) },
        EventName::VoteSubmit => vote("8"),
        EventName::VoteChange => change("8"),
        EventName::VoteRetract => retract(),
        EventName::CardsReveal => reveal(),
        EventName::CountdownCancel => Action::CancelCountdown,
        EventName::GameReset => reset(),
        EventName::RoundRestore => Action::RestoreRound { round: RoundId(1) },
        EventName::StoryUpdate => retitle("Renamed"),
        EventName::StoryCreate => create("Third"),
        EventName::StoryImport => Action::ImportStories { texts: vec![titled("Third")] },
        EventName::StoryDelete => Action::DeleteStory { story: StoryId(other) },
        EventName::StoryReorder => {
            Action::ReorderStory { story: StoryId(2), before: Some(StoryId(1)) }
        }
        EventName::StoryActivate => activate(other),
        EventName::StoryFinalize => finalize(if phase == Phase::Parked { 2 } else { 1 }, Some("5")),
        EventName::TimerStart => start_timer(90),
        EventName::TimerStop => Action::StopTimer,
        EventName::TimerPause => Action::PauseTimer,
        EventName::TimerResume => Action::ResumeTimer,
        EventName::TimerExtend => Action::ExtendTimer { seconds: 30 },
    })
}

/// Hana hosts, Fay facilitates, Ben, Pia and Vic play, Sol watches, Rex was
/// put out; two stories. Where Ben acts, Hana has lost her connection.
fn base(phase: Phase, ben_acts: bool) -> Table {
    let mut table = Table::seating_with(EVERYBODY, |settings| {
        settings.auto_reveal = phase == Phase::Countdown;
        settings.allow_change_after_reveal = phase == Phase::Amendable;
        if phase == Phase::Open {
            settings.permissions = Permissions::OPEN;
        }
    });
    table.when("Hana", Action::Promote { player: player("Fay") }).then("SeatUpdated");
    table.when("Sol", watch(true)).then("SeatUpdated");
    table.when("Hana", create("Second")).then("StoryCreated");
    table.when("Hana", remove("Rex")).then("SeatRemoved");
    let mut leader = "Hana";
    if ben_acts && phase != Phase::Unattended {
        table.leaves("Fay").then("SeatDisconnected, SeatLeft");
        table.loses("Hana").then("SeatDisconnected");
        table.after(31 * SECOND);
        table.comes_back("Fay").then("SeatReturned");
        leader = "Ben";
        assert_eq!(table.session.acting_host, Some(player("Ben")));
    }
    into_phase(&mut table, phase, leader);
    table
}

fn into_phase(table: &mut Table, phase: Phase, leader: &str) {
    if phase == Phase::Fresh {
        return;
    }
    for voter in VOTERS {
        // Hana is not there where somebody acts for her.
        if table.seat(voter).is_online() {
            table.when(voter, vote("5")).played();
        }
    }
    match phase {
        Phase::Fresh | Phase::Voted | Phase::Open => {}
        Phase::Countdown => assert!(table.session.is_counting_down()),
        Phase::Revealed | Phase::Amendable => {
            table.when(leader, reveal()).then("Revealed");
        }
        Phase::JustReset => {
            table.when(leader, reveal()).then("Revealed");
            table.when(leader, reset()).then("RoundReset");
        }
        Phase::Finalized => {
            table.when(leader, reveal()).then("Revealed");
            table.when(leader, finalize(1, Some("5"))).then("StoryUpdated");
        }
        Phase::Parked => {
            table.when(leader, activate(2)).then("StoryActivated");
        }
        Phase::TimerRunning => {
            table.when(leader, start_timer(60)).then("TimerChanged");
        }
        Phase::TimerPaused => {
            table.when(leader, start_timer(60)).then("TimerChanged");
            table.when(leader, Action::PauseTimer).then("TimerChanged");
        }
        Phase::TimerExpired => {
            table.when(leader, start_timer(1)).then("TimerChanged");
            table.after(SECOND).then("TimerChanged");
        }
        Phase::Locked => {
            table.when(leader, Action::Lock { is_locked: true }).then("Configured");
        }
        Phase::Unattended => {
            table.leaves("Fay").then("SeatDisconnected, SeatLeft");
            table.loses("Hana").then("SeatDisconnected");
            table.after(31 * SECOND);
            assert_eq!(table.session.acting_host, Some(player("Ben")));
        }
        Phase::Ended => {
            table.when(leader, Action::End).then("Ended");
        }
        // Nobody has noticed yet.
        Phase::Expired => table.sleeps(25 * HOUR),
    }
}

/// One letter for a verdict.
fn letter(verdict: Verdict) -> char {
    match verdict {
        Verdict::Done => '+',
        Verdict::Same => '=',
        Verdict::Refused(code) => match code {
            "FORBIDDEN" => 'F',
            "NOT_JOINED" => 'J',
            "PLAYER_REMOVED" => 'X',
            "SPECTATOR_CANNOT_VOTE" => 'S',
            "ROUND_REVEALED" => 'R',
            "NO_VOTES" | "NO_VOTE_TO_CHANGE" => 'V',
            "STALE_ROUND" => 'O',
            "PLAYER_NOT_FOUND" => 'P',
            "TIMER_NOT_RUNNING" | "TIMER_NOT_PAUSED" => 'T',
            "SESSION_LOCKED" => 'L',
            "SESSION_ENDED" | "SESSION_EXPIRED" => 'E',
            _ => '?',
        },
    }
}

/// For people: `cargo test --test stories permissions -- --nocapture`.
#[expect(clippy::print_stdout, reason = "the matrix is to be read")]
fn show(matrix: &str, cells: usize) {
    let phases: String =
        Phase::ALL.iter().map(|phase| format!(" {:<7.7}", format!("{phase:?}"))).collect();
    println!(
        "in each phase: host, acting host, facilitator, player, spectator, removed, stranger\n\
         + accepted  = accepted, nothing to do  F FORBIDDEN  J NOT_JOINED  X PLAYER_REMOVED\n\
         S SPECTATOR_CANNOT_VOTE  R ROUND_REVEALED  V NO_VOTES, NO_VOTE_TO_CHANGE\n\
         O STALE_ROUND  P PLAYER_NOT_FOUND  T TIMER_NOT_…  L SESSION_LOCKED  E SESSION_ENDED, SESSION_EXPIRED\n\
         {:<22}{phases}{matrix}\n{cells} cells",
        ""
    );
}
