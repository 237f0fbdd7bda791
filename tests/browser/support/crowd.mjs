// Many who sit there without a browser.

import { createRequire } from "node:module";
import { after } from "node:test";

const { io } = createRequire(new URL("../../clients/package.json", import.meta.url))("socket.io-client");

const FACES = ["🐢", "🎧", "🌵", "🍋", "🦉"];

/** Plays so many rounds at somebody's seat. */
export async function rounds(house, person, count) {
  const socket = io(house.server.url, { transports: ["websocket"], forceNew: true });
  after(() => socket.close());
  const ask = (event, words) => socket.timeout(10_000).emitWithAck(event, words);
  const seats = await person.page.evaluate(() => Object.values(localStorage).filter((item) => item.includes("token")));
  const seat = seats.map((item) => JSON.parse(item)).find(({ code }) => code === person.code);
  const { snapshot } = await ask("session:join", { sessionId: seat.sessionId, playerToken: seat.token });
  const { storyId } = snapshot.round;
  for (let index = 0; index < count; index += 1) {
    await ask("vote:submit", { storyId, value: "5" });
    const { ok } = await ask("game:reset", { storyId });
    if (!ok) throw new Error("no new round");
  }
  socket.close();
}

/** Takes so many seats; every other one plays a card. */
export async function crowd(house, code, count) {
  for (let index = 1; index <= count; index += 1) {
    const socket = io(house.server.url, { transports: ["websocket"], forceNew: true });
    after(() => socket.close());
    const words = { sessionId: code, playerName: `Person ${index}`, avatar: FACES[index % FACES.length] };
    const { snapshot } = await socket.timeout(10_000).emitWithAck("session:join", words);
    if (index % 2) await socket.timeout(10_000).emitWithAck("vote:submit", { storyId: snapshot.round.storyId, value: "5" });
  }
}
