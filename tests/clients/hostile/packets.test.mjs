// Packets that no client sends: each has the answer that the documents name,
// or ends its own connection and no other.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { UNLIMITED } from "../secrecy/server.mjs";
import { House } from "./house.mjs";
import { RawPolling, RawSocket } from "./raw.mjs";

/** Whoever is good has connected and joined by then, however busy the machine is. */
const CONNECT_TIMEOUT_MS = 8_000;
const JOIN_TIMEOUT_MS = 12_000;
const KIB = 1_024;
const NO_STATUS = 1005;
const TOO_LARGE = 1009;

let house;
before(async () => {
  house = await House.open({
    ...UNLIMITED,
    "engine.connect_timeout_ms": CONNECT_TIMEOUT_MS,
    "session.join_timeout_ms": JOIN_TIMEOUT_MS,
  });
});
after(() => house.close());

const nested = (depth) => `${"[".repeat(depth)}${"]".repeat(depth)}`;
/** An event whose arguments, a JSON array, have so many bytes. */
const sized = (event, bytes, field = "pad") => {
  const [start, end] = [`[{"${field}":"`, '"}]'];
  return `["${event}",${start.slice(1)}${"x".repeat(bytes - start.length - end.length)}${end}`;
};

async function joined() {
  const auth = JSON.stringify({ sessionId: house.sessionId, playerName: "Mallory" });
  const raw = await RawSocket.connected(house.server, auth);
  await raw.saying((packet) => packet.startsWith('42["session:joined"'));
  return raw;
}

describe("an event that cannot be read is refused, and the connection goes on", () => {
  const REFUSED = {
    "an unknown event": ['["vote:steal",{}]', "UNKNOWN_EVENT"],
    "an event named __proto__": ['["__proto__",{}]', "UNKNOWN_EVENT"],
    "an event named constructor": ['["constructor"]', "UNKNOWN_EVENT"],
    "a number for an event": ["[5,{}]", "UNKNOWN_EVENT"],
    "an empty name": ['["",{}]', "UNKNOWN_EVENT"],
    "no payload": ['["vote:submit"]', "BAD_REQUEST"],
    "a number for a payload": ['["vote:submit",5]', "BAD_REQUEST"],
    "a string for a payload": ['["session:end","now"]', "BAD_REQUEST"],
    "a list for a payload": ['["vote:submit",[{}]]', "BAD_REQUEST"],
    "a payload of nine levels": [`["session:end",{"x":${nested(8)}}]`, "BAD_REQUEST"],
    "a payload of sixty levels": [`["session:end",{"x":${nested(60)}}]`, "BAD_REQUEST"],
    "a number beyond all numbers": ['["session:end",{"x":1e999}]', "BAD_REQUEST"],
    "half a surrogate pair": ['["story:update",{"title":"\\ud800"}]', "BAD_REQUEST"],
    "the other half": ['["story:update",{"title":"\\udc00x"}]', "BAD_REQUEST"],
    "a title of nothing but NUL": ['["story:update",{"title":"\\u0000"}]', "BAD_REQUEST"],
    "a link that runs": ['["story:update",{"title":"T","link":"javascript:alert(1)"}]', "BAD_REQUEST"],
    "an avatar from elsewhere": ['["player:update",{"avatar":"https://example.org/a.png"}]', "BAD_REQUEST"],
    "a key given twice": ['["vote:submit",{"storyId":"s1","value":"5","value":"8"}]', "BAD_REQUEST"],
    "one byte over 16 KiB": [sized("story:update", 16 * KIB + 1), "PAYLOAD_TOO_LARGE"],
    "an import of one byte over 60 KiB": [sized("story:import", 60 * KIB + 1), "PAYLOAD_TOO_LARGE"],
  };
  for (const [what, [json, code]] of Object.entries(REFUSED)) {
    it(what, async () => {
      for (const raw of [await RawSocket.connected(house.server), await joined()]) {
        const { ok, error } = await raw.ask(json);
        assert.deepEqual([ok, error.code], [false, code], JSON.stringify(error));
        // Without an acknowledgement the same is told as an event.
        raw.send(`42${json}`);
        const told = await raw.saying((packet) => packet.startsWith('42["session:error"'));
        assert.equal(JSON.parse(told.slice(2))[1].code, code);
        assert.ok(await raw.isAlive());
        raw.close();
      }
      await house.playOn();
    });
  }

  it("what is only strange is taken", async () => {
    const raw = await joined();
    const beat = (more) => raw.ask(`["heartbeat",{"timestamp":1${more}}]`);
    for (const more of [
      ',"__proto__":{"isHost":true}', ',"constructor":{"prototype":{}}', ',"":0', ',"\\u0000":1',
      `,"x":${nested(7)}`, ',"x":1,"x":2',
    ]) {
      assert.equal((await beat(more)).ok, true, more);
    }
    const bytes = sized("heartbeat", 16 * KIB).replace('"pad"', '"timestamp":1,"p"').replace("xxxxxxxxxxxx", "");
    assert.equal((await raw.ask(bytes)).ok, true, "16 KiB exactly");
    const named = await raw.ask('["player:update",{"name":"a\\u0000\\u202eb"}]');
    assert.equal(named.name, "ab", "control characters are removed");
    raw.close();
    await house.playOn();
  });
});

describe("a packet that breaks the protocol ends its connection and no other", () => {
  const ENDING = {
    "an unknown Engine.IO type": ["9"],
    "an Engine.IO ping of a client": ["2"],
    "an empty frame": [""],
    "an unknown Socket.IO type": ["47"],
    "an empty Socket.IO packet": ["4"],
    "a second CONNECT": ["40"],
    "a CONNECT_ERROR of a client": ['44{"message":"no"}'],
    "an event in a namespace not joined": ['42/admin,["vote:submit",{}]'],
    "an acknowledgement in a namespace not joined": ["43/admin,1[]"],
    "a name of a namespace of 200 bytes": [`40/${"n".repeat(200)},`],
    "broken JSON": ['42["vote:submit",{"storyId":]'],
    "JSON cut short": ['42["vote:submit",{"storyId":"s1"'],
    "JSON and something after it": ['42["vote:submit",{}]x'],
    "JSON of a thousand levels": [`42["vote:submit",${nested(1_000)}]`],
    "an event that is an object": ['42{"0":"vote:submit"}'],
    "an event without anything": ["42"],
    "an event without a name": ["42[]"],
    "an event named by an object": ["42[{}]"],
    "a reserved event": ['42["disconnect"]'],
    "another": ['42["newListener",{}]'],
    "NUL in JSON": ['42["vote:submit","\u0000"]'],
    "an id beyond all ids": ['4299999999999999999999["heartbeat",{}]'],
    "an acknowledgement without an id": ["43[]"],
    "an acknowledgement that is an object": ["431{}"],
    "a DISCONNECT with a payload": ["41{}"],
    "binary out of the blue": [Buffer.from("x")],
    "text where binary was announced": ['451-["vote:submit",{"_placeholder":true,"num":0}]', '42["heartbeat",{}]'],
    "an attachment that is not there": ['451-["vote:submit",{"_placeholder":true,"num":1}]', Buffer.from("x")],
    "no attachment announced": ['450-["vote:submit",{}]'],
    "too many attachments": ['459-["vote:submit",{}]'],
    "attachments beyond all numbers": ['4599999999999999999999-["vote:submit",{}]'],
    "half an attachment count": ["451"],
  };
  for (const [what, packets] of Object.entries(ENDING)) {
    it(what, async () => {
      for (const raw of [await RawSocket.connected(house.server), await joined()]) {
        raw.send(...packets);
        assert.equal(await raw.ended(), NO_STATUS);
      }
      await house.playOn();
    });
  }

  it("a frame of one byte over 64 KiB", async () => {
    const raw = await joined();
    raw.send(`42${sized("story:import", 64 * KIB)}`);
    assert.equal(await raw.ended(), TOO_LARGE);
    await house.playOn();
  });

  it("a Socket.IO packet before CONNECT", async () => {
    const raw = await RawSocket.open(house.server);
    raw.send('42["heartbeat",{"timestamp":1}]');
    assert.equal(await raw.ended(), NO_STATUS);
  });
});

describe("binary where text belongs", () => {
  it("attachments to an event of the game are refused", async () => {
    const raw = await joined();
    raw.send('451-7["vote:submit",{"storyId":"s1","value":{"_placeholder":true,"num":0}}]', Buffer.from("5"));
    const ack = await raw.saying((packet) => packet.startsWith("437["));
    assert.equal(JSON.parse(ack.slice(3))[0].error.code, "BAD_REQUEST");
    raw.send('452-["heartbeat",{"timestamp":1}]', Buffer.from("a"), Buffer.alloc(0));
    await raw.saying((packet) => packet.includes('"session:error"') && packet.includes("BAD_REQUEST"));
    assert.ok(await raw.isAlive());
    raw.close();
    await house.playOn();
  });

  it("what the reference server ignores is ignored", async () => {
    const raw = await joined();
    raw.send('0{"sid":"x"}', "6", "3", "3probe");
    assert.ok(await raw.isAlive());
    raw.close();
  });

  it("an acknowledgement that nobody asked for is ignored, attachments too", async () => {
    const raw = await joined();
    raw.send("430[]", '43123["x"]', `43${2 ** 53 - 1}[]`, '461-5[{"_placeholder":true,"num":0}]', Buffer.from("a"));
    assert.ok(await raw.isAlive());
    raw.close();
  });
});

describe("handshakes", () => {
  const rejected = async (auth) => {
    const raw = await RawSocket.open(house.server);
    raw.send(`40${auth}`);
    const answer = await raw.saying((packet) => packet.startsWith("44"));
    raw.close();
    return JSON.parse(answer.slice(2)).data.code;
  };

  const BAD_AUTH = [
    '{"sessionId":5}', '{"sessionId":"a b"}', '{"sessionId":"x","playerName":[]}',
    '{"sessionId":"x","playerToken":{}}', '{"sessionId":"x","isSpectator":"yes"}',
    '{"sessionId":"x","protocol":1.5}', '{"playerId":"me"}', '{"password":false}',
    `{"x":${nested(8)}}`, '{"sessionId":"\\ud800"}', '{"sessionId":"x","sessionId":"y"}',
  ];
  for (const auth of BAD_AUTH) {
    it(`auth ${auth.slice(0, 40)}`, async () => assert.equal(await rejected(auth), "BAD_REQUEST"));
  }

  it("auth of 16 KiB and a byte", async () => {
    const padded = `{"x":"${"x".repeat(16 * KIB)}"}`;
    assert.equal(await rejected(padded), "PAYLOAD_TOO_LARGE");
  });

  for (const auth of ["[]", '"x"', "5", "null", "{", '{"a":1}{', "true"]) {
    it(`auth that is no object: ${auth}`, async () => {
      const raw = await RawSocket.open(house.server);
      raw.send(`40${auth}`);
      assert.equal(await raw.ended(), NO_STATUS);
    });
  }

  it("a session that does not exist", async () => {
    const raw = await RawSocket.connected(house.server, '{"sessionId":"NOSUCHSESSION","playerName":"M"}');
    await raw.saying((packet) => packet.includes('"session:error"') && packet.includes("SESSION_NOT_FOUND"));
    assert.equal(await raw.ended(), NO_STATUS);
  });

  it("tokens that are none", async () => {
    for (const token of ["", "x", "cr1", "cr1...", "cr1.k.AA.AA", `cr1.ephemeral.${"A".repeat(80)}.${"A".repeat(43)}`, "x".repeat(15_000)]) {
      const raw = await RawSocket.connected(house.server);
      const { error } = await raw.ask(JSON.stringify(["session:join", { sessionId: house.sessionId, playerToken: token }]));
      assert.equal(error.code, "INVALID_PLAYER_TOKEN", token.slice(0, 40));
      raw.close();
    }
  });

  it("half a handshake: no CONNECT", async () => {
    const raw = await RawSocket.open(house.server);
    assert.equal(await raw.ended(), NO_STATUS);
  });

  it("half a handshake: no join", async () => {
    const raw = await RawSocket.connected(house.server);
    await raw.saying((packet) => packet.includes('"connection:error"') && packet.includes("NOT_JOINED"));
    assert.equal(await raw.ended(), NO_STATUS);
  });

  it("namespaces that do not exist, by the dozen", async () => {
    const raw = await joined();
    for (let n = 0; n < 60; n += 1) raw.send(`40/n${n},`);
    for (let n = 0; n < 60; n += 1) {
      await raw.saying((packet) => packet === `44/n${n},{"message":"Invalid namespace"}`);
    }
    raw.send("40/?token=x,");
    await raw.saying((packet) => packet === '44/?token=x,{"message":"Invalid namespace"}');
    assert.ok(await raw.isAlive());
    raw.close();
    await house.playOn();
  });

  it("namespaces that do not exist, a thousand of them", async () => {
    const raw = await joined();
    for (let n = 0; n < 1_000; n += 1) raw.send(`40/n${n},`);
    assert.equal(await raw.ended(), NO_STATUS);
    await house.playOn();
  });
});

describe("whoever does not read", () => {
  it("is let go, and nobody waits for it", async () => {
    const { near, server } = house;
    const titles = Array.from({ length: 100 }, (_, n) => `${n} ${"x".repeat(190)}`);
    const { storyIds } = await near.client.ok("story:import",
      { format: "lines", data: titles.join("\n") });
    const raw = await joined();
    raw.socket.pause();
    const isLetGo = () => server.log.includes('"slow consumer"');
    // Each is told with the whole list; the kernel's buffers take megabytes.
    for (let n = 0; n < 2_000 && !isLetGo(); n += 1) {
      await near.client.ok("story:reorder", { storyId: storyIds[n % 2], beforeId: storyIds[1 - (n % 2)] });
    }
    assert.ok(isLetGo(), "let go as a slow consumer");
    await house.playOn();
    raw.close();
  });
});

describe("polling", () => {
  it("a body of one byte over 64 KiB is 413, and the connection goes on", async () => {
    const polling = await RawPolling.connected(house.server);
    const answer = await polling.post("4".padEnd(64 * KIB + 1, "x"));
    assert.deepEqual([answer.status, answer.body], [413, ""]);
    assert.equal((await polling.post('421["no:such:event"]')).body, "ok");
    assert.match((await polling.poll()).body, /UNKNOWN_EVENT/);
    await polling.post("1");
  });

  const ENDING = {
    "an unknown packet": "9",
    "an empty body": "",
    "an empty packet between others": '42["heartbeat",{"timestamp":1}]\x1e\x1e42["heartbeat",{"timestamp":1}]',
    "base64 that is none": "b!!!!",
    "binary out of the blue": "bAAAA",
    "a ping": "2",
    "a second CONNECT": "40",
    "broken JSON": '42["vote:submit",',
  };
  for (const [what, body] of Object.entries(ENDING)) {
    it(`${what} ends the connection`, async () => {
      const polling = await RawPolling.connected(house.server);
      const parked = polling.poll();
      const { status } = await polling.post(body);
      assert.ok([200, 400].includes(status), `${status}`);
      // The poll may have come too late to be parked.
      assert.match((await parked).body, /(^|\x1e)1$|^$|"code":1/);
      assert.match((await polling.poll()).body, /"code":1/, "the session is gone");
      await house.playOn();
    });
  }

  it("bytes that are no UTF-8 are 400", async () => {
    const polling = await RawPolling.connected(house.server);
    assert.equal((await polling.post(Buffer.from([0x34, 0xff, 0xfe]))).status, 400);
  });

  it("a binary body is 400 and ends the connection", async () => {
    const polling = await RawPolling.connected(house.server);
    const answer = await polling.post("42[]", { "content-type": "application/octet-stream" });
    assert.equal(answer.status, 400);
    assert.match((await polling.poll()).body, /^1$|"code":1/);
  });

  it("two polls at once end the connection", async () => {
    const polling = await RawPolling.connected(house.server);
    const both = await Promise.all([polling.poll(), polling.poll()]);
    assert.deepEqual(both.map(({ status }) => status).sort(), [200, 400]);
    await house.playOn();
  });
});
