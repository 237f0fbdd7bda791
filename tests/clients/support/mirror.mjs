// What a client makes of snapshot and broadcasts alone. If the broadcasts say
// all they should, it is at any time what a fresh snapshot says.

import { isDeepStrictEqual } from "node:util";

export class Mirror {
  constructor(snapshot) {
    this.state = structuredClone({
      settings: snapshot.settings,
      players: snapshot.players,
      playerCount: snapshot.playerCount,
      stories: snapshot.stories,
      round: snapshot.round,
      timer: snapshot.timer,
      vote: snapshot.you.vote,
    });
    this.me = snapshot.you.playerId;
  }

  /** Events without `seq`. */
  whisper(name, payload) {
    if (name !== "vote:mine" || payload.roundId !== this.state.round.roundId) return;
    const { value, confidence } = payload;
    this.state.vote = value === null ? undefined : { value, ...(confidence && { confidence }) };
  }

  apply(name, payload) {
    const { state } = this;
    const event = structuredClone(payload);
    switch (name) {
      case "player:joined":
        this.#without(event.player.id);
        state.players.push(event.player);
        state.playerCount = event.playerCount;
        break;
      case "player:left":
      case "player:removed":
        this.#without(event.playerId);
        state.playerCount = event.playerCount;
        break;
      case "player:updated":
        this.#player(event.player.id, event.player);
        break;
      case "player:status_changed":
        this.#player(event.playerId, { isOnline: event.isOnline, isAway: event.isAway });
        break;
      case "player:promoted":
        for (const player of [event.previousHost, event.newHost]) {
          if (player) this.#player(player.id, player);
        }
        break;
      case "vote:submitted": {
        const voted = new Set(state.round.votedPlayerIds);
        if (event.hasVoted) voted.add(event.playerId);
        else voted.delete(event.playerId);
        state.round.votedPlayerIds = [...voted];
        state.round.voteCount = event.voteCount;
        this.#player(event.playerId, { hasVoted: event.hasVoted });
        break;
      }
      case "reveal:countdown":
        state.round.phase = event.cancelled ? "voting" : "countdown";
        break;
      case "cards:revealed":
        if (event.restored) {
          state.round.votedPlayerIds = null; // not told; see compare
        }
        Object.assign(state.round, {
          phase: "revealed",
          storyId: event.storyId,
          roundId: event.roundId,
          votes: event.votes,
          consensus: event.consensus,
          revealedBy: event.revealedBy,
          revealedAt: event.revealedAt,
        });
        break;
      case "game:reset":
      case "story:activated":
        this.#story(event.story);
        state.round = event.round;
        state.timer = event.timer;
        state.vote = null; // another round; own parked votes are not told
        for (const player of state.players) {
          player.hasVoted = event.round.votedPlayerIds.includes(player.id);
        }
        break;
      case "story:updated":
      case "story:created":
        this.#story(event.story);
        break;
      case "story:deleted":
        state.stories = state.stories.filter((story) => story.id !== event.storyId);
        break;
      case "stories:changed":
        state.stories = event.stories;
        break;
      case "session:ended":
        this.isOver = true;
        break;
      case "timer:updated":
        state.timer = event.timer;
        break;
      case "session:updated":
        state.settings = event.settings;
        break;
    }
  }

  /** Tells in what the mirror differs from the server's own words. */
  compare(snapshot, complain) {
    const differ = (what, mine, theirs) => {
      if (!isDeepStrictEqual(mine, theirs)) {
        complain(`${what}: broadcasts say ${JSON.stringify(mine)}, the snapshot ${JSON.stringify(theirs)}`);
      }
    };
    // With the session all that is hidden or running ends, without a word.
    if (this.isOver) return;
    const { state } = this;
    const person = ({ id, name, avatar, role, isHost, isSpectator, isOnline, isAway, hasVoted }) => ({
      id, name, avatar, role, isHost, isSpectator, isOnline, isAway, hasVoted,
    });
    const byId = (a, b) => (a.id < b.id ? -1 : 1);
    // Presence is told after a moment; it may be ahead in a snapshot.
    const settled = (player) => ({ ...player, isOnline: true, isAway: false });
    const people = (players) => players.map(person).map(settled).sort(byId);
    if (state.round.votedPlayerIds !== null) differ("players", people(state.players), people(snapshot.players));
    differ("playerCount", state.playerCount, snapshot.playerCount);
    const story = ({ id, title, description, finalEstimate, key, link, isActive }) => ({
      id, title, description, finalEstimate, key, link, isActive,
    });
    differ("stories", state.stories.map(story), snapshot.stories.map(story));
    const round = ({ storyId, roundId, phase, voteCount, votes, consensus }) => ({
      storyId, roundId, phase,
      voteCount: phase === "revealed" ? undefined : voteCount,
      votes: phase === "revealed" ? votes : undefined,
      consensus: phase === "revealed" ? consensus : undefined,
    });
    differ("round", round(state.round), round(snapshot.round));
    if (snapshot.round.phase !== "revealed" && state.round.votedPlayerIds !== null) {
      differ("voted", [...state.round.votedPlayerIds].sort(), [...snapshot.round.votedPlayerIds].sort());
    }
    const timer = ({ status, duration, endsAt, onExpire }) => ({ status, duration, endsAt, onExpire });
    differ("timer", timer(state.timer), timer(snapshot.timer));
    differ("settings", state.settings, snapshot.settings);
  }

  #without(id) {
    this.state.players = this.state.players.filter((player) => player.id !== id);
  }

  #player(id, change) {
    const player = this.state.players.find((player) => player.id === id);
    if (player) Object.assign(player, change);
  }

  #story(story) {
    const { stories } = this.state;
    if (story.isActive) for (const other of stories) other.isActive = false;
    const index = stories.findIndex((known) => known.id === story.id);
    if (0 <= index) stories[index] = story;
    else stories.splice(story.orderIndex, 0, story);
  }
}
