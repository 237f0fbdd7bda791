import type {
  Can,
  ConsensusData,
  EndReason,
  Events,
  Holders,
  OwnVote,
  PlayerId,
  PlayerInfo,
  RoundState,
  RoundSummaryInfo,
  SessionSettings,
  SessionSnapshot,
  SessionStatus,
  StoryInfo,
  TimerState,
  VoteResult,
} from "./generated/catalogue.js";

/** The session as this seat may see it. Never changed: a change is another object. */
export interface TableState {
  readonly sessionId: string;
  readonly code: string;
  readonly status: SessionStatus;
  /** The number of the last event that is part of this. */
  readonly seq: number;
  /** ISO 8601. */
  readonly expiresAt: string;
  readonly settings: SessionSettings;
  /** In the order of joining. */
  readonly players: readonly PlayerInfo[];
  readonly playerId: PlayerId;
  /** This seat. */
  readonly me: PlayerInfo;
  readonly stories: readonly StoryInfo[];
  readonly currentStory: StoryInfo;
  readonly round: RoundState;
  readonly timer: TimerState;
  /** This seat's vote in the running round. */
  readonly myVote: MyVote | null;
  /** What the round came to; `null` before the reveal. */
  readonly results: Results | null;
  /** Finished rounds, oldest first, the last 20. */
  readonly history: readonly RoundSummaryInfo[];
  /** What this seat may do now. */
  readonly can: Can;
  /** How the session ended, if it did while we looked. */
  readonly ended: { reason: EndReason; by: PlayerId | null; exportUrl?: string } | null;
}

export interface MyVote extends OwnVote {
  /** The server has it. */
  readonly saved: boolean;
}

export interface Results {
  readonly votes: readonly VoteResult[];
  readonly consensus: ConsensusData;
  readonly revealedBy: PlayerId | null;
  readonly revealedAt: string;
}

/** What the server said, before it is made into a view: plain, and replaced as a whole. */
export interface Known {
  readonly snapshot: SessionSnapshot;
  readonly ended: TableState["ended"];
  /** No facilitator is there, so that everybody may run the round. */
  readonly isUnattended: boolean;
}

const HISTORY_MAX = 20;

export function known(snapshot: SessionSnapshot): Known {
  const { can } = snapshot.you;
  const { permissions } = snapshot.settings;
  const isUnattended = !can.manage && KINDS.some((kind) => can[kind] && permissions[kind] !== "everyone");
  return { snapshot, ended: null, isUnattended };
}

const KINDS = ["reveal", "reset", "story", "timer"] as const;

/** Applies one event that has the next `seq`. */
export function fold<Name extends keyof Events>(before: Known, name: Name, payload: Events[Name]): Known {
  const change = changes[name] as ((now: SessionSnapshot, event: Events[Name]) => Change) | undefined;
  const { snapshot } = before;
  const { ended, ...parts } = change?.(snapshot, payload) ?? {};
  const { seq, serverTime } = payload as { seq: number; serverTime: number };
  const next = counted({ ...snapshot, ...parts, seq, serverTime });
  const isUnattended = before.isUnattended && !isAttended(next);
  return { snapshot: next, ended: ended ?? before.ended, isUnattended };
}

type Change = Partial<SessionSnapshot> & { ended?: TableState["ended"] };

const changes: { [Name in keyof Events]?: (now: SessionSnapshot, event: Events[Name]) => Change } = {
  "player:joined": (now, { player }) => ({ players: [...without(now.players, player.id), player] }),
  "player:left": (now, { playerId }) => ({ players: without(now.players, playerId) }),
  "player:removed": (now, { playerId }) => ({ players: without(now.players, playerId) }),
  "player:updated": (now, { player }) => ({ players: replaced(now.players, player) }),
  "player:promoted": (now, { newHost, previousHost }) => {
    let players = now.players;
    for (const player of [previousHost, newHost]) if (player) players = replaced(players, player);
    return { players };
  },
  "player:status_changed": (now, { playerId, isOnline, isAway, lastSeenAt }) => ({
    players: patched(now.players, playerId, { isOnline, isAway, lastSeenAt }),
  }),
  "vote:submitted": (now, event) => {
    const voted = now.round.votedPlayerIds.filter((id) => id !== event.playerId);
    if (event.hasVoted) voted.push(event.playerId);
    // Of a seat that only watches now, the vote is dropped; nobody else says so.
    const isDropped = !event.hasVoted && event.playerId === now.you.playerId;
    return {
      you: isDropped ? { ...now.you, vote: undefined } : now.you,
      players: patched(now.players, event.playerId, { hasVoted: event.hasVoted }),
      round: {
        ...now.round,
        votedPlayerIds: voted.sort(),
        voteCount: event.voteCount,
        eligibleCount: event.eligibleCount,
      },
    };
  },
  "reveal:countdown": (now, { revealAt, cancelled }) => ({
    round: cancelled
      ? { ...now.round, phase: "voting", revealAt: undefined }
      : { ...now.round, phase: "countdown", revealAt },
  }),
  "cards:revealed": (now, event) => {
    const { storyId, roundId, votes, consensus, revealedAt, revealedBy } = event;
    const results = { phase: "revealed" as const, votes, consensus, revealedAt, revealedBy };
    if (!event.restored) {
      const round = { ...now.round, ...results, revealAt: undefined };
      return { round, stories: current(now, { ...storyOf(now, storyId), status: "revealed" }) };
    }
    const was = now.history.find((summary) => summary.roundId === roundId);
    const voters = votes.flatMap(({ playerId, value }) => (playerId && value !== null ? [playerId] : [])).sort();
    const story = storyOf(now, storyId);
    return {
      you: { ...now.you, vote: undefined },
      history: now.history.filter((summary) => summary.roundId !== roundId),
      players: now.players.map((player) => ({ ...player, hasVoted: voters.includes(player.id) })),
      stories: current(now, { ...story, isActive: true, status: "revealed", rounds: story.rounds - 1 }),
      round: {
        storyId,
        roundId,
        ...results,
        voteCount: was?.voteCount ?? consensus.totalVotes,
        eligibleCount: now.round.eligibleCount,
        votedPlayerIds: voters,
        startedAt: was?.startedAt ?? now.round.startedAt,
      },
    };
  },
  "game:reset": (now, event) => newRound(now, event, true),
  "story:activated": (now, event) => newRound(now, event, false),
  "story:updated": (now, { story }) => ({ stories: current(now, story) }),
  "story:created": (now, { story }) => ({ stories: current(now, story) }),
  "story:deleted": (now, { storyId }) => ({
    stories: now.stories
      .filter((story) => story.id !== storyId)
      .map((story, orderIndex) => (story.orderIndex === orderIndex ? story : { ...story, orderIndex })),
  }),
  "stories:changed": (_, { stories }) => ({ stories }),
  "timer:updated": (_, { timer }) => ({ timer }),
  "session:updated": (_, { settings }) => ({ settings }),
  "session:expiring": (_, { expiresAt }) => ({ expiresAt }),
  "session:ended": (_, { reason, by, exportUrl }) => ({ status: reason, ended: { reason, by, exportUrl } }),
};

function newRound(
  now: SessionSnapshot,
  event: Events["game:reset"] | Events["story:activated"],
  isReset: boolean,
): Change {
  const { storyId, roundId, startedAt, voteCount, phase, votes, consensus, revealedAt, revealedBy } = now.round;
  const isRevealed = phase === "revealed";
  const summary: RoundSummaryInfo = {
    storyId,
    roundId,
    startedAt,
    endedAt: new Date(event.serverTime).toISOString(),
    voteCount,
    isRevealed,
    ...(isRevealed && { votes, consensus, revealedAt, revealedBy }),
  };
  // What was voted on waits with its story, unless the round is over.
  const isArchived = isRevealed || (isReset && 0 < voteCount);
  const history = isArchived ? [...now.history, summary].slice(-HISTORY_MAX) : now.history;
  const stories = now.stories.map((story) =>
    isArchived && story.id === storyId ? { ...story, rounds: story.rounds + 1 } : story,
  );
  const voted = new Set(event.round.votedPlayerIds);
  return {
    round: event.round,
    you: { ...now.you, vote: undefined },
    timer: event.timer,
    stories: current({ ...now, stories, history }, event.story),
    history,
    players: now.players.map((player) =>
      player.hasVoted === voted.has(player.id) ? player : { ...player, hasVoted: !player.hasVoted },
    ),
  };
}

const without = (players: PlayerInfo[], id: PlayerId) => players.filter((player) => player.id !== id);

const replaced = (players: PlayerInfo[], player: PlayerInfo) =>
  players.map((known) => (known.id === player.id ? player : known));

const patched = (players: PlayerInfo[], id: PlayerId, change: Partial<PlayerInfo>) =>
  players.map((player) => (player.id === id ? { ...player, ...change } : player));

const storyOf = (now: SessionSnapshot, id: string): StoryInfo =>
  now.stories.find((story) => story.id === id) ?? now.stories.find((story) => story.isActive)!;

/** The stories with this one in its place; only one is active. */
function current(now: SessionSnapshot, story: StoryInfo): StoryInfo[] {
  // An estimate outlives the rounds.
  const shown: StoryInfo = story.finalEstimate === undefined ? story : { ...story, status: "estimated" };
  const others = now.stories
    .filter((other) => other.id !== story.id)
    .map((other) => (shown.isActive && other.isActive ? passed(other, now) : other));
  others.splice(shown.orderIndex, 0, shown);
  return others.map((other, orderIndex) => (other.orderIndex === orderIndex ? other : { ...other, orderIndex }));
}

/** A story that is not the current one any more. */
function passed(story: StoryInfo, { history, round }: SessionSnapshot): StoryInfo {
  const wasRevealed = history.some(({ storyId, isRevealed }) => isRevealed && storyId === story.id);
  const wasTouched = 0 < story.rounds || (round.storyId === story.id && 0 < round.voteCount);
  const status = story.status !== "voting" ? story.status : wasRevealed ? "revealed" : wasTouched ? "skipped" : "pending";
  return { ...story, isActive: false, status };
}

/** Counts that follow from who is there. */
function counted(now: SessionSnapshot): SessionSnapshot {
  const { players, round, stories } = now;
  const present = new Set(players.map((player) => player.id));
  const gone = round.votedPlayerIds.filter((id) => !present.has(id)).length;
  const eligibleCount = players.filter((player) => !player.isSpectator).length + gone;
  return {
    ...now,
    playerCount: players.length,
    currentStory: stories.find((story) => story.isActive) ?? now.currentStory,
    player: players.find((player) => player.id === now.you.playerId) ?? now.player,
    round: round.phase === "revealed" || round.eligibleCount === eligibleCount ? round : { ...round, eligibleCount },
  };
}

const leads = (player: PlayerInfo) => player.isHost || player.role !== "player";

/** Whether somebody is there who runs the round by role; an acting host does not count. */
export const isAttended = ({ players }: SessionSnapshot) =>
  players.some((player) => player.isOnline && player.role !== "player");

/** This seat's own vote, told to its own sockets only. */
export function mine(before: Known, { roundId, value, confidence }: Events["vote:mine"]): Known {
  const { snapshot } = before;
  if (roundId !== snapshot.round.roundId) return before;
  const vote = value === null ? undefined : { value, ...(confidence && { confidence }) };
  return { ...before, snapshot: { ...snapshot, you: { ...snapshot.you, vote } } };
}

/** What is shown: what the server said, and the vote as this seat means it. */
export function view({ snapshot, ended, isUnattended }: Known, myVote: MyVote | null): TableState {
  const { round, you } = snapshot;
  const me = snapshot.player ?? snapshot.players.find((player) => player.id === you.playerId)!;
  const manage = me !== undefined && leads(me);
  const may = (holders: Holders) => manage || holders === "everyone" || isUnattended;
  const { reveal, reset, story, timer } = snapshot.settings.permissions;
  return {
    sessionId: snapshot.sessionId,
    code: snapshot.code,
    status: snapshot.status,
    seq: snapshot.seq,
    expiresAt: snapshot.expiresAt,
    settings: snapshot.settings,
    players: snapshot.players,
    playerId: you.playerId,
    me,
    stories: snapshot.stories,
    currentStory: snapshot.currentStory ?? snapshot.stories[0]!,
    round,
    timer: snapshot.timer,
    myVote,
    results:
      round.phase === "revealed" && round.votes && round.consensus && round.revealedAt
        ? {
            votes: round.votes,
            consensus: round.consensus,
            revealedAt: round.revealedAt,
            revealedBy: round.revealedBy ?? null,
          }
        : null,
    history: snapshot.history,
    can: { reveal: may(reveal), reset: may(reset), story: may(story), timer: may(timer), manage },
    ended,
  };
}
