// What players see while nothing can be saved: that it is so.

import assert from "node:assert/strict";
import { it } from "node:test";

import { startFleet } from "./support/fleet.mjs";
import { receive } from "./support/people.mjs";

const PAUSED = "Saving is paused. Your last choice is kept and sent again.";

it("saving is paused, and goes on", { timeout: 120_000 }, async () => {
  const fleet = await startFleet(2, { "redis.command_timeout_ms": 2_000 });
  const house = await receive(fleet);
  const [one, other] = [await fleet.faithful(0), await fleet.faithful(1)];
  const hanna = await house.host("Hanna", { url: one.url });
  const jonas = await house.guest(hanna.code, "Jonas", { url: other.url });
  const mira = await house.guest(hanna.code, "Mira", { url: other.url });
  const all = [hanna, jonas, mira];
  await hanna.play("5 points");
  await jonas.play("3 points");
  await hanna.reads("2 of 3 voted");
  await mira.reads("2 of 3 voted");

  fleet.redis.pause();
  for (const [person, card] of [[jonas, "8 points"], [mira, "13 points"], [hanna, "8 points"]]) {
    await person.card(card).click();
    await person.listen();
    await person.page.getByText("Saving is paused", { exact: true }).waitFor();
    await person.page.getByText(PAUSED).first().waitFor();
    await person.holds(card);
  }
  // Nothing else is done either, and whoever tries is told.
  await hanna.press("Reveal (1 missing)");
  await hanna.press("Reveal");
  await hanna.page.getByText("Saving is paused. Try again in a moment.").waitFor();
  // Sent again and refused again, it is still said, and nothing is promised.
  for (const person of all) await person.page.getByText("Kept here; sent when saving goes on.").waitFor();
  for (const person of all) {
    const { ballot, connection, seats } = await person.heard();
    assert.ok(!ballot.includes("Saved"), `${person.name} reads: ${ballot}`);
    assert.ok(!connection.slice(connection.indexOf("Saving is paused")).includes("Online"), `${person.name}: ${connection}`);
    for (const words of seats.Mira) assert.match(words, /thinking; card: empty$/);
    await person.reads("2 of 3 voted");
  }

  fleet.redis.resume();
  for (const person of all) {
    await person.page.getByText("Saved", { exact: true }).waitFor();
    await person.isSeated();
    await person.page.getByText(PAUSED).first().waitFor({ state: "detached" });
    await person.reads("Everybody voted");
  }
  await hanna.press("Reveal");
  for (const person of all) await person.reads("Close: 8 or 13");
  const rows = mira.page.getByRole("table").getByRole("row");
  assert.equal(await rows.count(), 3);
  assert.match(await rows.nth(1).innerText(), /8[\s\S]*2[\s\S]*Hanna, Jonas/);
  assert.match(await rows.nth(2).innerText(), /13[\s\S]*1[\s\S]*Mira/);
  await hanna.press("Next story");
  await hanna.page.getByRole("textbox", { name: "What are we estimating?" }).fill("Pay later");
  await hanna.press("Next story");
  for (const person of all) await person.reads("Pay later");
});
