//! Good players: they vote at a steady rate, whatever else goes on, and
//! measure how long an acknowledgement and a broadcast take.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::figures::{Sorted, Times};
use super::net::{WEBSOCKET, WebSocket, between, connect};

/// How many, and how busy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) rooms: usize,
    /// Of each room.
    pub(crate) players: usize,
    /// Of each room in a second.
    pub(crate) votes: u32,
    /// Of each room in a second: stories of 2,000 letters, which fill buffers.
    pub(crate) stories: u32,
}

pub(crate) struct Party {
    pub(crate) rooms: Vec<Arc<Room>>,
    measured: Arc<Measured>,
    tasks: JoinSet<Result<(), String>>,
}

pub(crate) struct Room {
    pub(crate) session: String,
    pub(crate) story: String,
    /// Who votes since when.
    votes: Mutex<HashMap<String, Instant>>,
}

#[derive(Default)]
struct Measured {
    acknowledged: Times,
    delivered: Times,
}

/// What the good players saw in some time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    pub(crate) acknowledged: Sorted,
    pub(crate) delivered: Sorted,
}

impl Seen {
    pub(crate) fn and(&mut self, other: &Self) {
        self.acknowledged.and(&other.acknowledged);
        self.delivered.and(&other.delivered);
    }
}

impl Party {
    pub(crate) async fn begin(server: SocketAddr, size: Size) -> Result<Self, String> {
        Self::begin_over(&[server], size, "vote:submit").await
    }

    /// The players of each room are spread over the servers, and vote by
    /// `event`.
    pub(crate) async fn begin_over(
        servers: &[SocketAddr],
        size: Size,
        event: &'static str,
    ) -> Result<Self, String> {
        let measured = Arc::<Measured>::default();
        let mut party = Self { rooms: Vec::new(), measured, tasks: JoinSet::new() };
        for number in 0..size.rooms {
            party.open_room(servers, size, number, event).await?;
        }
        Ok(party)
    }

    /// What was measured since the last time.
    pub(crate) fn seen(&self) -> Seen {
        Seen {
            acknowledged: self.measured.acknowledged.take(),
            delivered: self.measured.delivered.take(),
        }
    }

    /// Plays on for so long; nobody may lose their connection meanwhile.
    pub(crate) async fn play(&mut self, time: Duration) -> Result<Seen, String> {
        tokio::select! {
            () = tokio::time::sleep(time) => Ok(self.seen()),
            ended = self.tasks.join_next() => Err(format!("a good player ended: {ended:?}")),
        }
    }

    async fn open_room(
        &mut self,
        servers: &[SocketAddr],
        size: Size,
        number: usize,
        event: &'static str,
    ) -> Result<(), String> {
        let mut doors = servers.iter().copied().cycle().skip(number);
        let mut door = || doors.next().ok_or("no server");
        let mut host = Guest::open(door()?).await?;
        let settings = json!({"preset": "open", "maxPlayers": 200});
        let create =
            json!({"name": format!("Room {number}"), "playerName": "Host", "settings": settings});
        let created = host.ask("session:create", create).await?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let session = text(&created["sessionId"]);
        let room = Arc::new(Room {
            session: session.clone(),
            story: text(&created["currentStory"]["id"]),
            votes: Mutex::default(),
        });
        let mut voices = Vec::new();
        host.player = text(&created["player"]["id"]);
        let mut guests = vec![host];
        for number in 1..size.players {
            let mut guest = Guest::open(door()?).await?;
            let name = format!("Good {number}");
            let join = json!({"sessionId": session, "playerName": name});
            let joined = guest.ask("session:join", join).await?;
            guest.player = text(&joined["player"]["id"]);
            guests.push(guest);
        }
        for mut guest in guests {
            if event != "vote:submit" {
                // There has to be something to be changed.
                guest.ask("vote:submit", json!({"storyId": room.story, "value": "1"})).await?;
            }
            let (voice, commands) = mpsc::channel(256);
            voices.push((guest.player.clone(), voice));
            let (room, measured) = (Arc::clone(&room), Arc::clone(&self.measured));
            self.tasks.spawn(guest.play(room, event, measured, commands));
        }
        let phase = Duration::from_millis(number as u64 * 7 % 200);
        self.tasks.spawn(drive(Arc::clone(&room), voices, size, phase));
        self.rooms.push(room);
        Ok(())
    }
}

enum Command {
    Vote { since: Instant, payload: Value },
    Story(Value),
}

/// An open loop: nobody waits for an answer before the next command.
async fn drive(
    room: Arc<Room>,
    voices: Vec<(String, mpsc::Sender<Command>)>,
    size: Size,
    phase: Duration,
) -> Result<(), String> {
    tokio::time::sleep(phase).await;
    let per_second = size.votes + size.stories;
    let mut ticks = interval(Duration::from_secs(1) / per_second.max(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for tick in 0_usize.. {
        ticks.tick().await;
        let (player, voice) = &voices[tick % voices.len()];
        let is_story = tick as u32 % per_second < size.stories;
        let command = if is_story {
            let description = format!("{tick} {}", "x".repeat(1_990));
            Command::Story(json!({"title": "Story", "description": description}))
        } else {
            let since = Instant::now();
            room.votes.lock().unwrap_or_else(PoisonError::into_inner).insert(player.clone(), since);
            let value = ["1", "2", "3", "5", "8"][(tick / voices.len()) % 5];
            Command::Vote { since, payload: json!({"storyId": room.story, "value": value}) }
        };
        voice.try_send(command).map_err(|error| format!("a good player is stuck: {error}"))?;
    }
    Ok(())
}

struct Guest {
    socket: WebSocket,
    player: String,
    asked: u64,
}

impl Guest {
    async fn open(server: SocketAddr) -> Result<Self, String> {
        let stream = connect(server, None, None).await?;
        let mut socket = WebSocket::upgrade(stream, WEBSOCKET).await?;
        socket.hear().await?;
        socket.say("40").await?;
        socket.hear().await?;
        Ok(Self { socket, player: String::new(), asked: 0 })
    }

    async fn say(&mut self, event: &str, payload: &Value) -> Result<u64, String> {
        self.asked += 1;
        self.socket.say(&format!("42{}{}", self.asked, json!([event, payload]))).await?;
        Ok(self.asked)
    }

    async fn ask(&mut self, event: &str, payload: Value) -> Result<Value, String> {
        let id = self.say(event, &payload).await?;
        let start = format!("43{id}[");
        loop {
            let heard = self.socket.hear().await?;
            let Some(rest) = heard.strip_prefix(&start) else { continue };
            let answer: Value = serde_json::from_str(rest.strip_suffix(']').unwrap_or(rest))
                .map_err(|error| error.to_string())?;
            return match answer["ok"].as_bool() {
                Some(true) => Ok(answer),
                _ => Err(format!("{event}: {answer}")),
            };
        }
    }

    async fn play(
        mut self,
        room: Arc<Room>,
        event: &str,
        measured: Arc<Measured>,
        mut commands: mpsc::Receiver<Command>,
    ) -> Result<(), String> {
        let mut asked = HashMap::new();
        loop {
            tokio::select! {
                heard = self.socket.hear() => {
                    let heard = heard?;
                    if let Some(answer) = heard.strip_prefix("43") {
                        let id = answer.split_once('[').and_then(|(id, _)| id.parse::<u64>().ok());
                        if let Some(since) = id.and_then(|id| asked.remove(&id)) {
                            measured.acknowledged.add(Instant::now() - since);
                            if !answer.contains("\"ok\":true") {
                                return Err(format!("a vote was refused: {answer}"));
                            }
                        }
                    } else if heard.starts_with("42[\"vote:submitted\"") {
                        let voter = between(&heard, "\"playerId\":\"", "\"").unwrap_or_default();
                        let votes = room.votes.lock().unwrap_or_else(PoisonError::into_inner);
                        if let Some(since) = votes.get(voter) {
                            measured.delivered.add(Instant::now() - *since);
                        }
                    }
                }
                command = commands.recv() => match command {
                    None => return Ok(()),
                    Some(Command::Story(payload)) => {
                        self.say("story:update", &payload).await?;
                    }
                    Some(Command::Vote { since, payload }) => {
                        let id = self.say(event, &payload).await?;
                        asked.insert(id, since);
                    }
                },
            }
        }
    }
}
