// What players see of an instance that dies under them: next to nothing.

import assert from "node:assert/strict";
import { it } from "node:test";

import { startFleet } from "./support/fleet.mjs";
import { receive } from "./support/people.mjs";

/** A lost instance is noticed soon. */
const LEASES = { "instances.lease_ms": 5_000, "instances.renew_ms": 500 };

/** Hanna, Jonas and Mira, each on the own way in. */
async function seated(ways) {
  const fleet = await startFleet(3, LEASES);
  const house = await receive(fleet);
  const [forHanna, forJonas, forMira] = await Promise.all(ways(fleet));
  const hanna = await house.host("Hanna", { url: forHanna.url });
  const jonas = await house.guest(hanna.code, "Jonas", { url: forJonas.url });
  const mira = await house.guest(hanna.code, "Mira", { url: forMira.url });
  Object.assign(hanna, { way: forHanna });
  Object.assign(jonas, { way: forJonas });
  Object.assign(mira, { way: forMira });
  await hanna.seatSays("Mira", "thinking");
  return { fleet, hanna, jonas, mira, all: [hanna, jonas, mira] };
}

/** Nobody was shown a card of another, or lost a seat from sight. */
async function sawNoCard(people) {
  for (const person of people) {
    const { seats, headline } = await person.heard();
    assert.deepEqual(Object.keys(seats).sort(), ["Hanna", "Jonas", "Mira"]);
    for (const [name, said] of Object.entries(seats)) {
      const calm = new RegExp(`^${name}(, you)?${name === "Hanna" ? ", host" : ""}, (voted; card: back|(thinking|offline); card: empty)$`);
      for (const words of said) assert.match(words, calm, `${person.name} sees of ${name}`);
    }
    for (const words of headline) assert.doesNotMatch(words, /Agreed|Close|Talk|Only/, `${person.name} reads: ${words}`);
  }
}

/** The instance of `victim` dies in the middle of a round, which is then played to its end. */
async function survives(fleet, victim, people, cards) {
  const [hanna, jonas, mira] = people;
  const waiting = victim === mira ? jonas : mira;
  const early = people.filter((person) => person !== waiting);
  for (const person of early) await person.play(cards.get(person));
  await waiting.reads("2 of 3 voted");
  for (const person of people) await person.listen();

  await fleet.kill(victim.way.serving());
  await victim.hasHeard("Reconnecting…");
  await victim.isSeated();
  for (const person of people) await person.isSeated();
  await victim.holds(cards.get(victim));
  await victim.page.getByText("Saved", { exact: true }).waitFor();
  await victim.seatSays(victim.name, "you");
  assert.equal(await victim.page.getByRole("list", { name: "Seats" }).getByRole("listitem").count(), 3);
  for (const person of people) await person.seatSays(victim.name, "voted");

  await waiting.play(cards.get(waiting));
  for (const person of people) await person.reads("Everybody voted");
  await sawNoCard(people);
  await hanna.press("Reveal");
}

async function nextStory(hanna, people, title) {
  await hanna.press("Next story");
  await hanna.page.getByRole("textbox", { name: "What are we estimating?" }).fill(title);
  await hanna.press("Next story");
  for (const person of people) {
    await person.reads(title);
    await person.reads("No votes yet");
  }
}

it("an instance is killed: who sat there is back, and nobody else notices", { timeout: 180_000 }, async () => {
  const { fleet, hanna, jonas, mira, all } = await seated((fleet) => [0, 1, 2].map((index) => fleet.faithful(index)));
  const five = new Map([[hanna, "5 points"], [jonas, "8 points"], [mira, "5 points"]]);
  await survives(fleet, jonas, all, five);
  for (const person of all) await person.reads("Close: 5 or 8");
  for (const person of [hanna, mira]) assert.deepEqual((await person.heard()).connection, ["Online"]);

  // Then the one of the host, who is still the host.
  await nextStory(hanna, all, "Refund a partial order");
  const eight = new Map(all.map((person) => [person, "8 points"]));
  await survives(fleet, hanna, all, eight);
  for (const person of all) await person.reads("Agreed: 8");
  await nextStory(hanna, all, "Pay later");
});

it("an instance is killed behind a load balancer that has no favourites", { timeout: 180_000 }, async () => {
  const { fleet, hanna, jonas, mira, all } = await seated((fleet) => [0, 1, 2].map(() => fleet.fickle()));
  await survives(fleet, jonas, all, new Map([[hanna, "5 points"], [jonas, "8 points"], [mira, "5 points"]]));
  for (const person of all) await person.reads("Close: 5 or 8");
  await nextStory(hanna, all, "Refund a partial order");
  await mira.play("3 points");
  await hanna.press(/Reveal/);
  await hanna.press("Reveal");
  for (const person of all) await person.reads("Only one estimate: 3");
});
