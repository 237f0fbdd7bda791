// Generated from the Rust types of the server (src/api). Do not edit:
// BLESS=1 cargo test --lib api::typescript

export interface AboutStory {
  storyId: StoryId;
}

export type Advice = "no_votes" | "take_break" | "split_story" | "need_info" | "accept" | "hear_outliers" | "confirm" | "discuss";

export interface Aim {
  requestId?: string;
  roundId?: number;
  storyId?: string;
}

export interface Can {
  manage: boolean;
  reset: boolean;
  reveal: boolean;
  story: boolean;
  timer: boolean;
}

export interface CardInfo {
  numeric?: Decimal;
  special?: Special;
  value: string;
}

export interface CardObject {
  value: string | number;
}

export interface CardShare {
  count: number;
  value: string;
}

export interface CardsRevealed {
  /** Who changed a vote after the reveal; not told in anonymous mode. */
  changedBy?: PlayerId;
  consensus: ConsensusData;
  reason: RevealReason;
  /** The round was brought back after a reset. */
  restored?: boolean;
  revealedAt: Iso;
  revealedBy: PlayerId | null;
  roundId: RoundId;
  seq: number;
  serverTime: Millis;
  storyId: StoryId;
  votes: VoteResult[];
}

export interface CardsTurned {
  /** Nothing was told: somebody else was faster. */
  alreadyRevealed?: boolean;
  roundId: RoundId;
}

export type Confidence = 1 | 2 | 3 | 4 | 5;

/** What usually precedes the end of a connection. */
export interface ConnectionError {
  code: ErrorCode;
  /** One sentence for people. */
  error: string;
  /** Seconds until it makes sense to connect again. */
  retryAfter?: number;
}

export interface ConsensusData {
  advice: Advice;
  agreement: Decimal;
  averageConfidence: Decimal | null;
  averageValue: Decimal | null;
  deviation: Decimal | null;
  distribution: CardShare[];
  estimateCount: number;
  hasConsensus: boolean;
  highest: string | null;
  level: Level;
  lowConfidenceCount: number;
  lowest: string | null;
  median: Decimal | null;
  modes: string[];
  outliers: OutlierInfo[];
  specialCounts: SpecialCounts;
  spreadSteps: number | null;
  suggestedValue: string | null;
  support: Decimal;
  totalVotes: number;
}

/** `{name?, cards}`; what a server calls a deck can be sent back as it is. */
export interface CustomDeck {
  cards: (string | number | CardObject)[];
  id?: string;
  name?: string;
}

export type Decimal = number;

export interface DeckInfo {
  cards: CardInfo[];
  id: string;
  kind: DeckKind;
  name: string;
}

export type DeckKind = "numeric" | "ordinal";

/** What a client needs to put itself right; which of these are there depends on the code. */
export interface Details {
  /** `INVALID_CARD`: those of the deck. */
  cards?: string[];
  /** `STALE_STORY`: what is voted on now. */
  currentStoryId?: StoryId;
  /** `INTERNAL`: finds the defect in the server's log. */
  id?: string;
  /** `SESSION_FULL`. */
  maxPlayers?: number;
  /** `FORBIDDEN`: who may. */
  required?: Required;
  /** `STALE_STORY`, `STALE_ROUND`: the round that runs now. */
  roundId?: RoundId;
  /** `STORY_LIMIT`. */
  storiesMax?: number;
}

export type Direction = "low" | "high";

/** Nothing to add. */
export type Done = Record<never, never>;

export type Emoji = "👍" | "👎" | "👏" | "🙌" | "🎉" | "❤" | "😂" | "😮" | "🤔" | "👀" | "🔥" | "🚀";

export type EndReason = "ended" | "expired";

export type ErrorCode = "ALREADY_JOINED_OTHER" | "BAD_REQUEST" | "CONFIDENCE_DISABLED" | "DECK_IN_USE" | "FORBIDDEN" | "INTERNAL" | "INVALID_CARD" | "INVALID_DECK" | "INVALID_PLAYER_TOKEN" | "NAME_REQUIRED" | "NOT_JOINED" | "NO_VOTES" | "NO_VOTE_TO_CHANGE" | "PASSWORD_INVALID" | "PASSWORD_REQUIRED" | "PAYLOAD_TOO_LARGE" | "PLAYER_NOT_FOUND" | "PLAYER_REMOVED" | "RATE_LIMITED" | "ROUND_REVEALED" | "SERVER_BUSY" | "SERVER_SHUTDOWN" | "SESSION_ENDED" | "SESSION_EXPIRED" | "SESSION_FULL" | "SESSION_LOCKED" | "SESSION_NOT_FOUND" | "SPECTATOR_CANNOT_VOTE" | "STALE_ROUND" | "STALE_STORY" | "STATE_UNAVAILABLE" | "STORY_ACTIVE" | "STORY_LIMIT" | "STORY_NOT_FOUND" | "TIMER_NOT_PAUSED" | "TIMER_NOT_RUNNING" | "UNKNOWN_EVENT";

/** The `error` of a failed acknowledgement. */
export interface FailureBody {
  code: ErrorCode;
  details?: Details;
  /** The path of the field that is wrong: `settings.deck`. */
  field?: string;
  /** One sentence for people. */
  message: string;
  /** Seconds until another try makes sense. */
  retryAfter?: number;
}

/** The whole new round, so that no client keeps old votes. */
export interface GameReset {
  round: RoundState;
  roundId: RoundId;
  seq: number;
  serverTime: Millis;
  story: StoryInfo;
  storyId: StoryId;
  timer: TimerState;
}

export interface Heartbeat {
  requestId?: string;
  timestamp: number;
}

export interface HeartbeatResponse {
  serverTime: Millis;
  timestamp: number;
}

export interface HistoryGet {
  /** The round before which the page ends. */
  cursor?: number;
  requestId?: string;
  storyId?: string;
}

/** A page of finished rounds, oldest first. */
export interface HistoryPage {
  /** Ask with this for the rounds before these. */
  cursor?: RoundId;
  rounds: RoundSummaryInfo[];
}

export type Holders = "everyone" | "facilitators";

export interface Imported {
  /** The rows that were left out, and why. */
  rejected: RejectedRow[];
  storyIds: StoryId[];
}

export type Iso = string;

export type JoinCode = string;

/** The answer to a join, and the event `session:joined`. It goes to one socket only: it holds the token of the seat. */
export interface Joined {
  code: JoinCode;
  config: SessionSettings;
  currentStory: StoryInfo | null;
  player: PlayerInfo | null;
  playerToken: string;
  players: PlayerInfo[];
  sessionId: SessionId;
  snapshot: SessionSnapshot;
  stories: StoryInfo[];
  timer: TimerState;
}

export type LeftReason = "left" | "disconnected" | "removed";

export type Level = "none" | "single" | "split" | "near" | "consensus" | "unanimous";

/** The part of a round that exists only once it is revealed. */
export interface MaybeRevealed {
  consensus?: ConsensusData;
  revealedAt?: Iso;
  /** `null`: nobody asked; the countdown or the timer did it. */
  revealedBy?: PlayerId | null;
  votes?: VoteResult[];
}

/** Milliseconds since 1970-01-01 UTC */
export type Millis = number;

export interface Named {
  /** As it is now: a name that was taken has got a number. */
  name: string;
}

export interface NewRound {
  roundId: RoundId;
  storyId: StoryId;
}

export interface NewStory {
  description?: string;
  title: string;
}

export interface Nothing {
  requestId?: string;
}

export interface Nudged {
  /** Who was reached; whoever was nudged a moment ago is left out. */
  playerIds: PlayerId[];
}

export type OnExpire = "none" | "reveal";

export interface OutlierInfo {
  direction: Direction;
  playerId: PlayerId;
  steps: number;
  value: string;
}

/** The viewer's own vote; the only vote a snapshot holds before the reveal. */
export interface OwnVote {
  confidence?: Confidence;
  value: string;
}

export interface PermissionsEdit {
  reset?: "everyone" | "facilitators";
  reveal?: "everyone" | "facilitators";
  story?: "everyone" | "facilitators";
  timer?: "everyone" | "facilitators";
}

export interface PermissionsInfo {
  reset: Holders;
  reveal: Holders;
  story: Holders;
  timer: Holders;
}

export type PhaseName = "voting" | "countdown" | "revealed";

export type PlayerId = string;

export interface PlayerInfo {
  avatar: string;
  hasVoted: boolean;
  id: PlayerId;
  isActingHost: boolean;
  /** Whether the seat exists; false only in history. */
  isActive: boolean;
  isAway: boolean;
  isHost: boolean;
  isOnline: boolean;
  isSpectator: boolean;
  joinedAt: Iso;
  lastSeenAt: Iso;
  name: string;
  role: Role;
}

export interface PlayerJoined {
  player: PlayerInfo;
  playerCount: number;
  seq: number;
  serverTime: Millis;
}

export interface PlayerLeft {
  playerCount: number;
  playerId: PlayerId;
  reason: LeftReason;
  seatKept: boolean;
  seq: number;
  serverTime: Millis;
}

export interface PlayerNudge {
  playerId?: string;
  requestId?: string;
}

/** To the nudged only; takes no `seq`. */
export interface PlayerNudged {
  by: PlayerId | null;
  serverTime: Millis;
}

/** Somebody became host, or acts as host; `newHost` is `null` when nobody is left to act. */
export interface PlayerPromoted {
  acting: boolean;
  newHost: PlayerInfo | null;
  previousHost: PlayerInfo | null;
  reason: PromotedReason;
  seq: number;
  serverTime: Millis;
}

export interface PlayerRemove {
  ban?: boolean;
  playerId: string;
  requestId?: string;
}

export interface PlayerRemoved {
  playerCount: number;
  playerId: PlayerId;
  removedBy: PlayerId | null;
  seq: number;
  serverTime: Millis;
}

export interface PlayerSetSpectator {
  isSpectator: boolean;
  playerId: string;
  requestId?: string;
}

export interface PlayerStatusChanged {
  isAway: boolean;
  isOnline: boolean;
  lastSeenAt: Iso;
  playerId: PlayerId;
  seq: number;
  serverTime: Millis;
}

export interface PlayerTarget {
  playerId: string;
  requestId?: string;
}

export interface PlayerUpdate {
  avatar?: string;
  isSpectator?: boolean;
  name?: string;
  requestId?: string;
}

export interface PlayerUpdated {
  player: PlayerInfo;
  seq: number;
  serverTime: Millis;
}

export interface PresenceSet {
  away: boolean;
  requestId?: string;
}

export type PromotedReason = "disconnected" | "returned" | "left" | "transfer";

/** To the sender of too many, at most once a second for each event. */
export interface RateLimited {
  event: string;
  limit: number;
  /** Seconds. */
  retryAfter: number;
  windowSeconds: number;
}

/** Volatile; takes no `seq`. */
export interface ReactionReceived {
  emoji: Emoji;
  playerId: PlayerId;
  serverTime: Millis;
}

export interface ReactionSend {
  emoji: "👍" | "👎" | "👏" | "🙌" | "🎉" | "❤" | "😂" | "😮" | "🤔" | "👀" | "🔥" | "🚀";
  requestId?: string;
}

/** An acknowledgement of failure. */
export interface Refused {
  error: FailureBody;
  ok: false;
}

/** A row of an import that makes no story. Rows count from 1. */
export interface RejectedRow {
  reason: string;
  row: number;
}

export type Required = "host" | "facilitator" | "reveal" | "reset" | "story" | "timer" | "another target" | "reactions";

export interface Reset {
  newStory?: NewStory;
  requestId?: string;
  roundId?: number;
  storyId?: string;
}

export interface RevealCountdown {
  cancelled?: boolean;
  revealAt?: Millis;
  roundId: RoundId;
  seq: number;
  serverTime: Millis;
}

export type RevealReason = "manual" | "auto" | "timer";

/** The part of a round that exists only once it is revealed. */
export interface Revealed {
  consensus: ConsensusData;
  revealedAt: Iso;
  /** `null`: nobody asked; the countdown or the timer did it. */
  revealedBy: PlayerId | null;
  votes: VoteResult[];
}

export type Role = "host" | "facilitator" | "player";

export type RoundId = number;

export interface RoundRestore {
  requestId?: string;
  roundId: number;
}

export interface RoundState {
  consensus?: ConsensusData;
  revealedAt?: Iso;
  /** `null`: nobody asked; the countdown or the timer did it. */
  revealedBy?: PlayerId | null;
  votes?: VoteResult[];
  eligibleCount: number;
  phase: PhaseName;
  /** Epoch milliseconds, while counting down. */
  revealAt?: Millis;
  roundId: RoundId;
  startedAt: Iso;
  storyId: StoryId;
  voteCount: number;
  votedPlayerIds: PlayerId[];
}

/** A finished round. One that was never revealed has counts only. */
export interface RoundSummaryInfo {
  consensus?: ConsensusData;
  revealedAt?: Iso;
  /** `null`: nobody asked; the countdown or the timer did it. */
  revealedBy?: PlayerId | null;
  votes?: VoteResult[];
  endedAt: Iso;
  isRevealed: boolean;
  roundId: RoundId;
  startedAt: Iso;
  storyId: StoryId;
  voteCount: number;
}

export interface SessionCreate {
  avatar?: string;
  deck?: "fibonacci" | "modified-fibonacci" | "powers-of-two" | "t-shirt" | "time" | CustomDeck;
  name: string;
  password?: string;
  playerName: string;
  requestId?: string;
  settings?: SettingsEdit;
}

export interface SessionEnded {
  by: PlayerId | null;
  exportUrl?: string;
  reason: EndReason;
  seq: number;
  serverTime: Millis;
}

/** What is told of a failure that nobody awaits. */
export interface SessionError {
  code: ErrorCode;
  details?: Details;
  /** One sentence for people. */
  error: string;
  event?: string;
  /** The path of the field that is wrong: `settings.deck`. */
  field?: string;
  /** Seconds until another try makes sense. */
  retryAfter?: number;
}

export interface SessionExpiring {
  expiresAt: Iso;
  seq: number;
  serverTime: Millis;
}

export type SessionId = string;

/** Also the handshake's `auth`, in which `sessionId` may be missing. */
export interface SessionJoin {
  avatar?: string;
  isSpectator?: boolean;
  password?: string;
  playerId?: string;
  playerName?: string;
  playerToken?: string;
  protocol?: number;
  requestId?: string;
  sessionId?: string;
}

export interface SessionLeave {
  requestId?: string;
  sessionId?: string;
}

export interface SessionLock {
  locked: boolean;
  requestId?: string;
}

export interface SessionSettings {
  allowChangeAfterReveal: boolean;
  anonymous: boolean;
  autoReveal: boolean;
  confidence: boolean;
  consensusThreshold: Decimal;
  deck: DeckInfo;
  listPasses: boolean;
  locked: boolean;
  maxPlayers: number;
  name: string;
  passwordProtected: boolean;
  permissions: PermissionsInfo;
  reactions: boolean;
  revealCountdownMs: number;
  timerAutoStart: boolean;
  timerOnExpire: OnExpire;
  timerSeconds: number;
}

export interface SessionSnapshot {
  code: JoinCode;
  currentStory: StoryInfo | null;
  expiresAt: Iso;
  history: RoundSummaryInfo[];
  player: PlayerInfo | null;
  playerCount: number;
  players: PlayerInfo[];
  protocol: number;
  round: RoundState;
  seq: number;
  serverTime: Millis;
  sessionId: SessionId;
  settings: SessionSettings;
  status: SessionStatus;
  stories: StoryInfo[];
  timer: TimerState;
  you: You;
}

export type SessionStatus = "open" | "ended" | "expired";

export interface SessionSync {
  lastSeq?: number;
  requestId?: string;
}

export interface SessionUpdated {
  by: PlayerId | null;
  changed: string[];
  seq: number;
  serverTime: Millis;
  settings: SessionSettings;
}

/** Partial settings. `preset` is applied first, single values prevail. */
export interface SettingsEdit {
  allowChangeAfterReveal?: boolean;
  anonymous?: boolean;
  autoReveal?: boolean;
  confidence?: boolean;
  consensusThreshold?: number;
  deck?: "fibonacci" | "modified-fibonacci" | "powers-of-two" | "t-shirt" | "time" | CustomDeck;
  /** Lets a deck change end a round that has votes. */
  force?: boolean;
  listPasses?: boolean;
  locked?: boolean;
  maxPlayers?: number;
  name?: string;
  password?: string | null;
  permissions?: PermissionsEdit;
  preset?: "open";
  reactions?: boolean;
  requestId?: string;
  revealCountdownMs?: number;
  timerAutoStart?: boolean;
  timerOnExpire?: "none" | "reveal";
  timerSeconds?: number;
}

export type Special = "unknown" | "break" | "infinite";

export interface SpecialCounts {
  break: number;
  infinite: number;
  unknown: number;
}

export interface StoriesChanged {
  seq: number;
  serverTime: Millis;
  stories: StoryInfo[];
}

export interface StoryActivate {
  requestId?: string;
  roundId?: number;
  storyId: string;
}

export interface StoryActivated {
  previousActiveStoryId: StoryId;
  round: RoundState;
  seq: number;
  serverTime: Millis;
  story: StoryInfo;
  timer: TimerState;
}

export interface StoryCreate {
  afterId?: string;
  clientRef?: string;
  description?: string;
  key?: string;
  link?: string;
  requestId?: string;
  title: string;
}

export interface StoryCreated {
  /** To the author only. */
  clientRef?: string;
  seq: number;
  serverTime: Millis;
  story: StoryInfo;
}

export interface StoryDelete {
  requestId?: string;
  storyId: string;
}

export interface StoryDeleted {
  seq: number;
  serverTime: Millis;
  storyId: StoryId;
}

export interface StoryFinalize {
  requestId?: string;
  storyId: string;
  value: string | null;
}

export type StoryId = string;

export interface StoryImport {
  data: string;
  format: "csv" | "json" | "lines";
  requestId?: string;
}

export interface StoryInfo {
  description?: string;
  finalEstimate?: string;
  id: StoryId;
  isActive: boolean;
  key?: string;
  link?: string;
  orderIndex: number;
  rounds: number;
  status: StoryStatus;
  /** Empty for the story a session begins with. */
  title: string;
  updatedAt: Iso;
}

export interface StoryReorder {
  beforeId?: string;
  requestId?: string;
  storyId: string;
}

export type StoryStatus = "pending" | "voting" | "revealed" | "estimated" | "skipped";

export interface StoryUpdate {
  description?: string;
  key?: string;
  link?: string;
  requestId?: string;
  storyId?: string;
  title: string;
}

export interface StoryUpdated {
  seq: number;
  serverTime: Millis;
  story: StoryInfo;
}

export interface Synced {
  snapshot: SessionSnapshot;
}

export interface TimerExtend {
  requestId?: string;
  seconds: number;
}

export interface TimerStart {
  duration?: number;
  onExpire?: "none" | "reveal";
  requestId?: string;
  storyId?: string;
}

export interface TimerState {
  /** Seconds. */
  duration: number;
  /** Epoch milliseconds: when it ends, or ended. */
  endsAt: Millis | null;
  isRunning: boolean;
  onExpire: OnExpire;
  remainingMs: number;
  /** Seconds, rounded up; at `server_time`. */
  remainingTime: number;
  serverTime: Millis;
  startedAt?: Iso;
  startedBy?: PlayerId;
  status: TimerStatus;
}

export type TimerStatus = "idle" | "running" | "paused" | "expired";

export interface TimerUpdated {
  seq: number;
  serverTime: Millis;
  timer: TimerState;
}

export interface Vote {
  confidence?: 1 | 2 | 3 | 4 | 5;
  requestId?: string;
  roundId?: number;
  storyId: string;
  value: string | number;
}

/** To the voter's own sockets only; takes no `seq`. */
export interface VoteMine {
  confidence?: Confidence;
  roundId: RoundId;
  storyId: StoryId;
  value: string | null;
}

export interface VoteResult {
  confidence?: Confidence;
  initialValue?: string;
  playerId: PlayerId | null;
  playerName: string | null;
  value: string | null;
  votedAt?: Iso;
}

export interface VoteRetract {
  requestId?: string;
  roundId?: number;
  storyId: string;
}

/** Who voted, never what. A change looks like a first vote. */
export interface VoteSubmitted {
  eligibleCount: number;
  hasVoted: boolean;
  playerId: PlayerId;
  roundId: RoundId;
  seq: number;
  serverTime: Millis;
  storyId: StoryId;
  totalPlayers: number;
  voteCount: number;
}

/** The sender's own vote, as it was taken. */
export interface Voted {
  confidence?: Confidence;
  roundId: RoundId;
  storyId: StoryId;
  value: string;
}

export interface You {
  can: Can;
  playerId: PlayerId;
  vote?: OwnVote;
}

/** What a client sends with each event. */
export interface Requests {
  /** Permission `reveal`: turns the cards, with at least one vote. */
  "cards:reveal": Aim;
  /** Permission `reveal`: stops the countdown to the reveal. */
  "countdown:cancel": Nothing;
  /** Permission `reset`: a new round. What was not revealed is never shown. Not idempotent: say which `roundId` you saw. */
  "game:reset": Reset;
  /** Tells the offset of the clocks. */
  "heartbeat": Heartbeat;
  /** Finished rounds, page by page backwards. */
  "history:get": HistoryGet;
  /** Host: takes the facilitator's role back. */
  "player:demote": PlayerTarget;
  /** Facilitators: reminds one, or without `playerId` all who have not voted. */
  "player:nudge": PlayerNudge;
  /** Host: makes somebody a facilitator. */
  "player:promote": PlayerTarget;
  /** Facilitators: takes a seat away; its token is worth nothing any more. */
  "player:remove": PlayerRemove;
  /** Facilitators: makes another one watch, or vote again. */
  "player:set-spectator": PlayerSetSpectator;
  /** Host: hands the session over. */
  "player:transfer": PlayerTarget;
  /** One's own name, avatar or spectating; at least one of them. */
  "player:update": PlayerUpdate;
  /** Says whether the sender is at the desk. */
  "presence:set": PresenceSet;
  /** One of twelve emoji, shown for a moment and stored nowhere. */
  "reaction:send": ReactionSend;
  /** Permission `reset`: back to the round before, for 60 seconds and while nobody has voted. */
  "round:restore": RoundRestore;
  /** Host: changes settings. A deck change while there are votes needs `force`. */
  "session:configure": SettingsEdit;
  /** Opens a session, with the sender as its host. */
  "session:create": SessionCreate;
  /** Host: ends the session for good. */
  "session:end": Nothing;
  /** Takes a seat, or one's own again with `playerToken`. The same fields are accepted in the `auth` of the handshake. */
  "session:join": SessionJoin;
  /** Takes this socket away; with the last one the seat leaves. Its vote stays. */
  "session:leave": SessionLeave;
  /** Facilitators: lets nobody new in. */
  "session:lock": SessionLock;
  /** The whole session, as the sender may see it: after a gap in `seq`. */
  "session:sync": SessionSync;
  /** Permission `story`: makes it the current story; the round left behind is parked with its votes. */
  "story:activate": StoryActivate;
  /** Permission `story`: appends a story. */
  "story:create": StoryCreate;
  /** Permission `story`: deletes a story; the current one cannot be. */
  "story:delete": StoryDelete;
  /** Permission `story`: sets its estimate, or takes it back. */
  "story:finalize": StoryFinalize;
  /** Facilitators: many stories at once. */
  "story:import": StoryImport;
  /** Permission `story`: moves a story before another one, or to the end. */
  "story:reorder": StoryReorder;
  /** Permission `story`: edits a story, the current one unless said; touches no votes. */
  "story:update": StoryUpdate;
  /** Permission `timer`: adds seconds, or takes some away. */
  "timer:extend": TimerExtend;
  /** Permission `timer`: keeps what is left. */
  "timer:pause": Nothing;
  /** Permission `timer`. */
  "timer:resume": Nothing;
  /** Permission `timer`: starts it, again if it runs. */
  "timer:start": TimerStart;
  /** Permission `timer`. */
  "timer:stop": Nothing;
  /** Another vote instead of one's own; after the reveal only where the settings allow it. */
  "vote:change": Vote;
  /** Takes one's own vote back, and cancels a countdown. */
  "vote:retract": VoteRetract;
  /** A vote, or another one instead of it; hidden until the reveal. */
  "vote:submit": Vote;
}

/** What a successful acknowledgement of each event adds. */
export interface Answers {
  "cards:reveal": CardsTurned;
  "countdown:cancel": Done;
  "game:reset": NewRound;
  "heartbeat": HeartbeatResponse;
  "history:get": HistoryPage;
  "player:demote": Done;
  "player:nudge": Nudged;
  "player:promote": Done;
  "player:remove": Done;
  "player:set-spectator": Done;
  "player:transfer": Done;
  "player:update": Named;
  "presence:set": Done;
  "reaction:send": Done;
  "round:restore": CardsTurned;
  "session:configure": Done;
  "session:create": Joined;
  "session:end": Done;
  "session:join": Joined;
  "session:leave": Done;
  "session:lock": Done;
  "session:sync": Synced;
  "story:activate": NewRound;
  "story:create": AboutStory;
  "story:delete": Done;
  "story:finalize": AboutStory;
  "story:import": Imported;
  "story:reorder": Done;
  "story:update": AboutStory;
  "timer:extend": Done;
  "timer:pause": Done;
  "timer:resume": Done;
  "timer:start": Done;
  "timer:stop": Done;
  "vote:change": Voted;
  "vote:retract": Done;
  "vote:submit": Voted;
}

/** What the server tells. */
export interface Events {
  "cards:revealed": CardsRevealed;
  /** What usually precedes the end of a connection. */
  "connection:error": ConnectionError;
  /** The whole new round, so that no client keeps old votes. */
  "game:reset": GameReset;
  /** The same as the answer to a heartbeat. */
  "heartbeat:response": HeartbeatResponse;
  "player:joined": PlayerJoined;
  "player:left": PlayerLeft;
  /** To the nudged only; takes no `seq`. */
  "player:nudged": PlayerNudged;
  /** Somebody became host, or acts as host; `newHost` is `null` when nobody is left to act. */
  "player:promoted": PlayerPromoted;
  "player:removed": PlayerRemoved;
  "player:status_changed": PlayerStatusChanged;
  "player:updated": PlayerUpdated;
  /** To the sender of too many, at most once a second for each event. */
  "rate:limit": RateLimited;
  /** Volatile; takes no `seq`. */
  "reaction:received": ReactionReceived;
  "reveal:countdown": RevealCountdown;
  "session:ended": SessionEnded;
  /** A failure that nobody awaits the answer of. */
  "session:error": SessionError;
  "session:expiring": SessionExpiring;
  /** The same as the answer to a join. */
  "session:joined": Joined;
  "session:updated": SessionUpdated;
  "stories:changed": StoriesChanged;
  "story:activated": StoryActivated;
  "story:created": StoryCreated;
  "story:deleted": StoryDeleted;
  "story:updated": StoryUpdated;
  "timer:updated": TimerUpdated;
  /** To the voter's own sockets only; takes no `seq`. */
  "vote:mine": VoteMine;
  /** Who voted, never what. A change looks like a first vote. */
  "vote:submitted": VoteSubmitted;
}

/** An acknowledgement of success; `seq` is the session's after the event. */
export type Accepted<Body> = { ok: true; seq?: number } & Body;

/** What an event is acknowledged with. */
export type Answer<Event extends keyof Requests> = Accepted<Answers[Event]> | Refused;

/** For `Socket<ServerToClientEvents, ClientToServerEvents>` of `socket.io-client`. */
export type ClientToServerEvents = {
  [Event in keyof Requests]: (
    payload: Requests[Event],
    acknowledge?: (answer: Answer<Event>) => void,
  ) => void;
};

/** For `Socket<ServerToClientEvents, ClientToServerEvents>` of `socket.io-client`. */
export type ServerToClientEvents = {
  [Event in keyof Events]: (payload: Events[Event]) => void;
};
