// Every client event with each outcome that the catalogue names for it.
//
// A case: `by` (host, ann, or a stranger) sends `payload` at a table with Hanna
// (host) and Ann (player), after `given`. Accepted: Ann hears exactly `tells`.
// Everything else: nobody hears anything, and `error` is what is said.

/** No member yet, no session needed. */
const OUTSIDE = "outside";

const text = (length) => "x".repeat(length);
const NOBODY = "00000000-0000-4000-8000-000000000000";

const voted = async (t) => void (await t.ann.do("vote:submit", t.vote("5")));
const revealed = async (t) => {
  await voted(t);
  await t.host.do("cards:reveal");
};
const reset = async (t) => {
  await revealed(t);
  await t.host.do("game:reset");
};
const running = async (t) => void (await t.host.do("timer:start", { duration: 600 }));
const paused = async (t) => {
  await running(t);
  await t.host.do("timer:pause");
};
const countdown = async (t) => {
  await t.host.do("session:configure", { autoReveal: true, revealCountdownMs: 10_000 });
  await voted(t);
  await t.host.do("vote:submit", t.vote("5"));
};
const second = async (t) => {
  t.second = (await t.host.do("story:create", { title: "Second" })).storyId;
};
const left = async (t) => {
  const bob = await t.join("Bob");
  await bob.do("session:leave");
  t.gone = bob.id;
};
const full = async (t) => {
  for (let stories = 1; stories < t.storiesMax; stories++) await t.host.do("story:create", { title: "One more" });
};
const spectator = async (t) => void (await t.ann.do("player:update", { isSpectator: true }));

/** A story that is none, and a round that is over. */
const stale = (payload = () => ({})) => [
  { is: "STALE_STORY", payload: (t) => ({ ...payload(t), storyId: "s99" }), details: (t) => ({ currentStoryId: t.story, roundId: 1 }) },
  { is: "STALE_ROUND", payload: (t) => ({ ...payload(t), storyId: t.story, roundId: 7 }), details: () => ({ roundId: 1 }) },
];
const forbidden = (required) => ({ is: "FORBIDDEN", by: "ann", details: () => ({ required }) });

const aim = [["storyId", 1], ["storyId", ""], ["storyId", text(65)], ["roundId", "1"], ["roundId", -1], ["roundId", 1.5]];
const storyWords = [
  ["title", undefined], ["title", ""], ["title", "  "], ["title", text(201)], ["title", 5],
  ["description", text(2001)], ["description", 1],
  ["key", text(41)], ["link", "ftp://example.org"], ["link", "javascript:alert(1)"], ["link", `https://${text(500)}`],
];
const people = [["playerId", undefined], ["playerId", "ann"], ["playerId", 7]];
const settings = [
  ["name", ""], ["name", text(101)], ["deck", "tarot"], ["deck", 5], ["deck", null, { deck: ["1", "2"] }],
  ["deck.cards", "1 2", { deck: { cards: "1 2" } }], ["deck.cards", null, { deck: {} }], ["deck.cards", null, { deck: { cards: ["1", true] } }], ["autoReveal", "yes"], ["revealCountdownMs", 10_001],
  ["revealCountdownMs", -1], ["timerSeconds", 3_601], ["timerOnExpire", "explode"], ["consensusThreshold", 0.5],
  ["consensusThreshold", "0.8"], ["maxPlayers", 1], ["maxPlayers", 100_000], ["preset", "closed"], ["anonymous", 1],
];

const votes = {
  by: "ann",
  payload: (t) => t.vote("8", { confidence: 3, roundId: 1 }),
  bad: [
    ["storyId", undefined], ...aim,
    ["value", undefined], ["value", ""], ["value", text(11)], ["value", true], ["value", null],
    ["confidence", 0], ["confidence", 6], ["confidence", 2.5], ["confidence", "3"], ["requestId", "no blanks"], ["requestId", text(65)],
  ],
};
const voteRefusals = [
  { is: "SPECTATOR_CANNOT_VOTE", given: spectator },
  ...stale((t) => t.vote("8")),
  { is: "INVALID_CARD", payload: (t) => t.vote("7") },
];

/** Event → its accepted form, its bad fields, its refusals. */
export const EVENTS = {
  "session:create": {
    by: OUTSIDE,
    payload: () => ({ name: "Other", playerName: "Hal", deck: "t-shirt", password: "sesame", settings: { autoReveal: true } }),
    tells: [],
    bad: [
      ["name", undefined], ["name", ""], ["name", text(101)], ["playerName", undefined], ["playerName", text(51)],
      ["avatar", "https://example.org/x.png"], ["password", "abc"], ["password", text(129)], ["deck", "tarot"],
      ["settings", 1], ["settings", true], ["settings.deck", 5, { settings: { deck: 5 } }],
    ],
    cases: [
      { is: "INVALID_DECK", payload: () => ({ name: "X", playerName: "Y", deck: { cards: ["1", "1", "2"] } }) },
      { is: "ALREADY_JOINED_OTHER", by: "ann" },
      { is: "BAD_REQUEST", payload: () => ({ name: "X", playerName: "Y", settings: { maxPlayers: 1 } }), field: "maxPlayers" },
    ],
  },
  "session:join": {
    by: OUTSIDE,
    payload: (t) => ({ sessionId: t.id, playerName: "Bob", avatar: "🦊", isSpectator: true, protocol: 1 }),
    tells: ["player:joined"],
    bad: [
      ["sessionId", undefined], ["sessionId", ""], ["sessionId", "no blanks"], ["sessionId", text(65)], ["sessionId", 5],
      ["playerId", "me"], ["playerName", ""], ["playerName", text(51)], ["playerName", "\u202e\u0007"], ["avatar", "http://x"],
      ["playerToken", 5], ["isSpectator", "no"], ["password", ""], ["password", text(129)],
    ],
    cases: [
      { is: "unchanged", by: "ann", payload: (t) => ({ sessionId: t.code }) },
      { is: "SESSION_NOT_FOUND", payload: () => ({ sessionId: "00000000", playerName: "Bob" }) },
      { is: "SESSION_NOT_FOUND", payload: () => ({ sessionId: "what-is-this", playerName: "Bob" }) },
      { is: "SESSION_ENDED", given: (t) => t.host.do("session:end") },
      { is: "SESSION_LOCKED", given: (t) => t.host.do("session:lock", { locked: true }) },
      { is: "SESSION_FULL", given: (t) => t.host.do("session:configure", { maxPlayers: 2 }), details: () => ({ maxPlayers: 2 }) },
      { is: "PASSWORD_REQUIRED", given: (t) => t.host.do("session:configure", { password: "sesame" }) },
      {
        is: "PASSWORD_INVALID",
        given: (t) => t.host.do("session:configure", { password: "sesame" }),
        payload: (t) => ({ sessionId: t.id, playerName: "Bob", password: "guess" }),
      },
      { is: "NAME_REQUIRED", payload: (t) => ({ sessionId: t.id }) },
      { is: "INVALID_PLAYER_TOKEN", payload: (t) => ({ sessionId: t.id, playerId: t.ann.id, playerName: "Ann" }) },
      { is: "INVALID_PLAYER_TOKEN", payload: (t) => ({ sessionId: t.id, playerToken: text(60) }) },
      {
        is: "PLAYER_REMOVED",
        given: async (t) => {
          t.removed = (await t.join("Bob")).joined.playerToken;
          const { players } = await t.host.settle();
          await t.host.do("player:remove", { playerId: players.find(({ name }) => name === "Bob").id });
        },
        payload: (t) => ({ sessionId: t.id, playerToken: t.removed }),
      },
      { is: "ALREADY_JOINED_OTHER", by: "ann", payload: () => ({ sessionId: "00000000", playerName: "Ann" }) },
    ],
  },
  "session:leave": {
    by: "host",
    payload: (t) => ({ sessionId: t.id }),
    tells: ["player:left", "player:promoted"],
    bad: [["sessionId", 5], ["sessionId", "a b"]],
    cases: [{ is: "unchanged", given: (t) => t.host.do("session:leave"), payload: () => ({}) }],
  },
  "session:sync": { by: "ann", payload: () => ({ lastSeq: 1 }), reads: true, bad: [["lastSeq", "1"], ["lastSeq", -1]] },
  "session:configure": {
    payload: () => ({ anonymous: true }),
    tells: ["session:updated"],
    bad: [...settings, ["permissions", "everyone"], ["permissions", []], ["permissions.reveal", "me", { permissions: { reveal: "me" } }], ["password", "abc"], ["force", 1]],
    cases: [
      { is: "BAD_REQUEST", payload: () => ({}) },
      { is: "unchanged", payload: () => ({ anonymous: false }) },
      forbidden("host"),
      { is: "INVALID_DECK", payload: () => ({ deck: { cards: ["1"] } }) },
      { is: "DECK_IN_USE", given: voted, payload: () => ({ deck: "time" }) },
      { is: "accepted", given: voted, payload: () => ({ deck: "time", force: true }), tells: ["game:reset", "session:updated"] },
    ],
  },
  "session:lock": {
    payload: () => ({ locked: true }),
    tells: ["session:updated"],
    bad: [["locked", undefined], ["locked", 1]],
    cases: [{ is: "unchanged", payload: () => ({ locked: false }) }, forbidden("facilitator")],
  },
  "session:end": { payload: () => ({}), tells: ["session:ended"], bad: [["requestId", ""]], cases: [forbidden("host")] },

  "player:update": {
    by: "ann",
    payload: () => ({ name: "Anna", avatar: "cat" }),
    tells: ["player:updated"],
    bad: [["name", ""], ["name", text(51)], ["name", 5], ["avatar", ""], ["avatar", "//x"], ["isSpectator", 0]],
    cases: [
      { is: "BAD_REQUEST", payload: () => ({}) },
      { is: "unchanged", payload: () => ({ name: "Ann", isSpectator: false }) },
      { is: "accepted", given: voted, payload: () => ({ isSpectator: true }), tells: ["vote:submitted", "player:updated"] },
    ],
  },
  "player:set-spectator": {
    payload: (t) => ({ playerId: t.ann.id, isSpectator: true }),
    tells: ["player:updated"],
    bad: [...people, ["isSpectator", undefined], ["isSpectator", "yes"]],
    cases: [
      { is: "unchanged", payload: (t) => ({ playerId: t.ann.id, isSpectator: false }) },
      forbidden("facilitator"),
      { is: "PLAYER_NOT_FOUND", payload: () => ({ playerId: NOBODY, isSpectator: true }) },
    ],
  },
  "player:remove": {
    given: (t) => t.join("Bob").then((bob) => (t.bob = bob.id)),
    payload: (t) => ({ playerId: t.bob, ban: true }),
    tells: ["player:removed", "player:left"],
    bad: [...people, ["ban", "yes"]],
    cases: [
      forbidden("facilitator"),
      { is: "FORBIDDEN", payload: (t) => ({ playerId: t.host.id }), details: () => ({ required: "another target" }) },
      { is: "PLAYER_NOT_FOUND", payload: () => ({ playerId: NOBODY }) },
    ],
  },
  "player:promote": {
    payload: (t) => ({ playerId: t.ann.id }),
    tells: ["player:updated"],
    bad: people,
    cases: [
      { is: "unchanged", payload: (t) => ({ playerId: t.host.id }) },
      forbidden("host"),
      { is: "PLAYER_NOT_FOUND", payload: () => ({ playerId: NOBODY }) },
      { is: "PLAYER_NOT_FOUND", given: left, payload: (t) => ({ playerId: t.gone }) },
    ],
  },
  "player:demote": {
    given: (t) => t.host.do("player:promote", { playerId: t.ann.id }),
    payload: (t) => ({ playerId: t.ann.id }),
    tells: ["player:updated"],
    bad: people,
    cases: [
      { is: "unchanged", given: null },
      forbidden("host"),
      { is: "FORBIDDEN", payload: (t) => ({ playerId: t.host.id }), details: () => ({ required: "another target" }) },
      { is: "PLAYER_NOT_FOUND", payload: () => ({ playerId: NOBODY }) },
    ],
  },
  "player:transfer": {
    payload: (t) => ({ playerId: t.ann.id }),
    tells: ["player:promoted"],
    bad: people,
    cases: [
      { is: "unchanged", payload: (t) => ({ playerId: t.host.id }) },
      forbidden("host"),
      { is: "PLAYER_NOT_FOUND", payload: () => ({ playerId: NOBODY }) },
    ],
  },
  "player:nudge": {
    payload: (t) => ({ playerId: t.ann.id }),
    tells: ["player:nudged"],
    bad: [["playerId", "ann"], ["playerId", 7]],
    cases: [
      { is: "accepted", payload: () => ({}), tells: ["player:nudged"] },
      { is: "unchanged", given: (t) => t.host.do("player:nudge") },
      forbidden("facilitator"),
      { is: "PLAYER_NOT_FOUND", payload: () => ({ playerId: NOBODY }) },
    ],
  },
  "presence:set": {
    by: "host",
    payload: () => ({ away: true }),
    tells: ["player:status_changed"],
    bad: [["away", undefined], ["away", "yes"], ["away", null]],
    cases: [{ is: "unchanged", payload: () => ({ away: false }) }],
  },
  "reaction:send": {
    payload: () => ({ emoji: "👍" }),
    tells: ["reaction:received"],
    bad: [["emoji", undefined], ["emoji", "💩"], ["emoji", 1]],
    cases: [
      {
        is: "FORBIDDEN",
        given: (t) => t.host.do("session:configure", { reactions: false }),
        details: () => ({ required: "reactions" }),
      },
    ],
  },

  "vote:submit": {
    ...votes,
    tells: ["vote:submitted"],
    cases: [
      { is: "unchanged", given: voted, payload: (t) => t.vote(5) },
      ...voteRefusals,
      { is: "ROUND_REVEALED", given: revealed },
      { is: "CONFIDENCE_DISABLED", given: (t) => t.host.do("session:configure", { confidence: false }) },
    ],
  },
  "vote:change": {
    ...votes,
    given: voted,
    tells: ["vote:submitted"],
    cases: [
      { is: "unchanged", payload: (t) => t.vote("5") },
      ...voteRefusals,
      { is: "NO_VOTE_TO_CHANGE", given: null },
      { is: "ROUND_REVEALED", given: revealed },
      {
        is: "accepted",
        given: async (t) => {
          await revealed(t);
          await t.host.do("session:configure", { allowChangeAfterReveal: true });
        },
        tells: ["cards:revealed"],
      },
      {
        is: "CONFIDENCE_DISABLED",
        given: async (t) => {
          await voted(t);
          await t.host.do("session:configure", { confidence: false });
        },
      },
    ],
  },
  "vote:retract": {
    by: "ann",
    given: voted,
    payload: (t) => ({ storyId: t.story, roundId: 1 }),
    tells: ["vote:submitted"],
    bad: [["storyId", undefined], ...aim],
    cases: [
      { is: "unchanged", given: null },
      ...stale(),
      { is: "ROUND_REVEALED", given: revealed },
      { is: "accepted", given: countdown, tells: ["vote:submitted", "reveal:countdown"] },
    ],
  },
  "cards:reveal": {
    given: voted,
    payload: (t) => ({ storyId: t.story, roundId: 1 }),
    tells: ["cards:revealed"],
    bad: aim,
    cases: [
      { is: "unchanged", given: revealed, payload: () => ({}) },
      forbidden("reveal"),
      { is: "NO_VOTES", given: null },
      ...stale(),
    ],
  },
  "countdown:cancel": {
    given: countdown,
    payload: () => ({}),
    tells: ["reveal:countdown"],
    bad: [["requestId", 5]],
    cases: [{ is: "unchanged", given: null }, forbidden("reveal")],
  },
  "game:reset": {
    given: voted,
    payload: (t) => ({ storyId: t.story, roundId: 1 }),
    tells: ["game:reset"],
    bad: [
      ...aim, ["newStory", "Next"], ["newStory.title", undefined, { newStory: {} }],
      ["newStory.title", undefined, { newStory: { title: "" } }],
      ["newStory.description", undefined, { newStory: { title: "x", description: text(2001) } }],
    ],
    cases: [
      { is: "accepted", given: null, payload: () => ({ newStory: { title: "Next" } }), tells: ["game:reset"] },
      { is: "unchanged", given: null },
      forbidden("reset"),
      ...stale(),
      { is: "STORY_LIMIT", given: full, payload: () => ({ newStory: { title: "Next" } }), details: (t) => ({ storiesMax: t.storiesMax }) },
    ],
  },
  "round:restore": {
    given: reset,
    payload: () => ({ roundId: 1 }),
    tells: ["cards:revealed"],
    bad: [["roundId", undefined], ["roundId", "1"], ["roundId", -1]],
    cases: [
      forbidden("reset"),
      { is: "STALE_ROUND", payload: () => ({ roundId: 2 }), details: () => ({ roundId: 2 }) },
      { is: "STALE_ROUND", given: null, details: () => ({ roundId: 1 }) },
    ],
  },

  "story:update": {
    payload: () => ({ title: "Title", description: "Words", key: "K-1", link: "https://example.org/1" }),
    tells: ["story:updated"],
    bad: [...storyWords, ["storyId", 5]],
    cases: [
      { is: "unchanged", given: (t) => t.host.do("story:update", { title: "Title" }), payload: () => ({ title: " Title " }) },
      forbidden("story"),
      { is: "STORY_NOT_FOUND", payload: () => ({ title: "x", storyId: "s99" }) },
    ],
  },
  "story:create": {
    payload: (t) => ({ title: "New", description: "", key: "K", link: "http://example.org", afterId: t.story, clientRef: "c1" }),
    tells: ["story:created"],
    bad: [...storyWords, ["afterId", 5], ["clientRef", ""], ["clientRef", text(65)]],
    cases: [
      forbidden("story"),
      { is: "STORY_NOT_FOUND", payload: () => ({ title: "x", afterId: "s99" }) },
      { is: "STORY_LIMIT", given: full, details: (t) => ({ storiesMax: t.storiesMax }) },
    ],
  },
  "story:import": {
    payload: () => ({ format: "lines", data: "One\nTwo" }),
    tells: ["stories:changed"],
    bad: [
      ["format", undefined], ["format", "xml"], ["data", undefined], ["data", 5], ["data", "x\n".repeat(201)],
      ["data", "{", { format: "json", data: "{" }],
    ],
    cases: [
      { is: "unchanged", payload: () => ({ format: "lines", data: text(201) }) },
      forbidden("facilitator"),
      { is: "STORY_LIMIT", given: full, details: (t) => ({ storiesMax: t.storiesMax }) },
    ],
  },
  "story:delete": {
    given: second,
    payload: (t) => ({ storyId: t.second }),
    tells: ["story:deleted"],
    bad: [["storyId", undefined], ["storyId", 5]],
    cases: [
      forbidden("story"),
      { is: "STORY_NOT_FOUND", payload: () => ({ storyId: "s99" }) },
      { is: "STORY_ACTIVE", payload: (t) => ({ storyId: t.story }) },
    ],
  },
  "story:reorder": {
    given: second,
    payload: (t) => ({ storyId: t.second, beforeId: t.story }),
    tells: ["stories:changed"],
    bad: [["storyId", undefined], ["storyId", 5], ["beforeId", 5]],
    cases: [
      { is: "unchanged", payload: (t) => ({ storyId: t.second }) },
      forbidden("story"),
      { is: "STORY_NOT_FOUND", payload: () => ({ storyId: "s99" }) },
      { is: "STORY_NOT_FOUND", payload: (t) => ({ storyId: t.story, beforeId: "s99" }) },
    ],
  },
  "story:activate": {
    given: second,
    payload: (t) => ({ storyId: t.second, roundId: 1 }),
    tells: ["story:activated"],
    bad: [["storyId", undefined], ["storyId", 5], ["roundId", "1"]],
    cases: [
      { is: "unchanged", payload: (t) => ({ storyId: t.story }) },
      forbidden("story"),
      { is: "STORY_NOT_FOUND", payload: () => ({ storyId: "s99" }) },
      { is: "STALE_ROUND", payload: (t) => ({ storyId: t.second, roundId: 7 }), details: () => ({ roundId: 1 }) },
    ],
  },
  "story:finalize": {
    payload: (t) => ({ storyId: t.story, value: "5" }),
    tells: ["story:updated"],
    bad: [["storyId", undefined], ["value", undefined], ["value", ""], ["value", text(11)], ["value", 5.5, { value: {} }]],
    cases: [
      { is: "unchanged", payload: (t) => ({ storyId: t.story, value: null }) },
      forbidden("story"),
      { is: "STORY_NOT_FOUND", payload: () => ({ storyId: "s99", value: "5" }) },
    ],
  },

  "timer:start": {
    payload: (t) => ({ duration: 600, onExpire: "reveal", storyId: t.story }),
    tells: ["timer:updated"],
    bad: [["duration", 0], ["duration", 3601], ["duration", "60"], ["duration", 1.5], ["onExpire", "explode"], ["storyId", 5]],
    cases: [forbidden("timer"), stale()[0]],
  },
  "timer:stop": {
    given: running,
    payload: () => ({}),
    tells: ["timer:updated"],
    bad: [["requestId", {}]],
    cases: [{ is: "unchanged", given: null }, forbidden("timer")],
  },
  "timer:pause": {
    given: running,
    payload: () => ({}),
    tells: ["timer:updated"],
    bad: [["requestId", ""]],
    cases: [forbidden("timer"), { is: "TIMER_NOT_RUNNING", given: null }, { is: "TIMER_NOT_RUNNING", given: paused }],
  },
  "timer:resume": {
    given: paused,
    payload: () => ({}),
    tells: ["timer:updated"],
    bad: [["requestId", ""]],
    cases: [forbidden("timer"), { is: "TIMER_NOT_PAUSED", given: null }, { is: "TIMER_NOT_PAUSED", given: running }],
  },
  "timer:extend": {
    given: running,
    payload: () => ({ seconds: 60 }),
    tells: ["timer:updated"],
    bad: [["seconds", undefined], ["seconds", 601], ["seconds", -601], ["seconds", "60"], ["seconds", 0.5]],
    cases: [
      { is: "unchanged", payload: () => ({ seconds: 0 }) },
      forbidden("timer"),
      { is: "TIMER_NOT_RUNNING", given: null },
      {
        is: "BAD_REQUEST",
        given: (t) => t.host.do("timer:start", { duration: 3600 }),
        payload: () => ({ seconds: 1 }),
        field: "seconds",
      },
    ],
  },

  "history:get": { by: "ann", payload: (t) => ({ storyId: t.story, cursor: 1 }), reads: true, bad: [["storyId", 5], ["cursor", "x"]] },
  heartbeat: {
    by: "ann",
    payload: () => ({ timestamp: 1 }),
    reads: true,
    tells: ["heartbeat:response"],
    bad: [["timestamp", undefined], ["timestamp", "now"], ["timestamp", 0.5]],
  },
};

/** The codes of the catalogue, §4, in its order. */
export const CODES = [
  "BAD_REQUEST", "PAYLOAD_TOO_LARGE", "UNKNOWN_EVENT", "NOT_JOINED", "ALREADY_JOINED_OTHER",
  "SESSION_NOT_FOUND", "SESSION_EXPIRED", "SESSION_ENDED", "SESSION_LOCKED", "SESSION_FULL",
  "PASSWORD_REQUIRED", "PASSWORD_INVALID", "NAME_REQUIRED", "INVALID_PLAYER_TOKEN", "PLAYER_REMOVED",
  "PLAYER_NOT_FOUND", "FORBIDDEN", "SPECTATOR_CANNOT_VOTE", "STALE_STORY", "STALE_ROUND",
  "ROUND_REVEALED", "NO_VOTE_TO_CHANGE", "NO_VOTES", "INVALID_CARD", "CONFIDENCE_DISABLED",
  "STORY_NOT_FOUND", "STORY_LIMIT", "STORY_ACTIVE", "TIMER_NOT_RUNNING", "TIMER_NOT_PAUSED",
  "INVALID_DECK", "DECK_IN_USE", "RATE_LIMITED", "SERVER_BUSY", "STATE_UNAVAILABLE", "SERVER_SHUTDOWN", "INTERNAL",
];

/** Those that no client can bring about here in reasonable time. */
export const NOT_HERE = {
  SESSION_EXPIRED: "a session lives five minutes at least; tests/table, tests/rules/session.rs",
  STATE_UNAVAILABLE: "the embedded store is never away; tests/table",
  SERVER_SHUTDOWN: "drain.test.mjs",
  INTERNAL: "a defect of the server",
};

/** All cases, one after the other. */
export function cases() {
  const all = [];
  for (const [event, row] of Object.entries(EVENTS)) {
    const base = { event, by: row.by ?? "host", given: row.given, payload: row.payload, tells: row.tells ?? [], reads: row.reads };
    const add = (one) => all.push({ ...base, ...one });
    add({ is: "accepted" });
    for (const one of row.cases ?? []) add(one);
    for (const [field, value, whole] of row.bad) {
      add({ is: "BAD_REQUEST", field, payload: (t) => ({ ...row.payload(t), ...(whole ?? { [field]: value }) }) });
    }
    add({ is: "BAD_REQUEST", why: "no object", payload: () => [1] });
    add({ is: "BAD_REQUEST", why: "too deep", payload: (t) => ({ ...row.payload(t), extra: JSON.parse("[".repeat(9) + "]".repeat(9)) }) });
    add({ is: "BAD_REQUEST", why: "bytes", payload: (t) => ({ ...row.payload(t), extra: new Uint8Array([1]) }) });
    add({ is: "accepted", why: "unknown fields", payload: (t) => ({ ...row.payload(t), extra: [{ deep: [1] }] }) });
    const bytes = event === "story:import" ? 60 * 1024 : 16 * 1024;
    add({ is: "PAYLOAD_TOO_LARGE", payload: (t) => ({ ...row.payload(t), extra: text(bytes) }) });
    // Without an acknowledgement the refusal is an event of its own.
    const [field, value, whole] = row.bad[0];
    add({ is: "told", field, payload: (t) => ({ ...row.payload(t), ...(whole ?? { [field]: value }) }) });
    if (base.by !== OUTSIDE) {
      add({ is: "NOT_JOINED", by: OUTSIDE });
      const mutates = !row.reads && event !== "session:leave";
      if (mutates) {
        const given = async (t) => {
          await (row.given ?? (() => {}))(t);
          await t.host.do("session:end");
        };
        add({ is: "SESSION_ENDED", given });
      }
    }
    if (!row.reads && !["session:create", "session:join", "session:leave", "reaction:send"].includes(event)) add({ is: "replayed" });
  }
  return all;
}
