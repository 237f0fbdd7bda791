// Many who sit there without a browser.

import { createRequire } from "node:module";
import { after } from "node:test";

const { io } = createRequire(new URL("../../clients/package.json", import.meta.url))("socket.io-client");

const FACES = ["🐢", "🎧", "🌵", "🍋", "🦉"];

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
