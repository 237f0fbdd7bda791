// Five people, a whole session, nobody tells them how.

import assert from "node:assert/strict";
import { it } from "node:test";

import { Front } from "../clients/support/front.mjs";
import { rounds } from "./support/crowd.mjs";
import { open } from "./support/people.mjs";

const house = await open({ "rate_limits.vote:submit": 100 });

it("five people estimate two stories", async () => {
  const hanna = await house.host("Hanna", { session: "Sprint 12" });
  const { code } = hanna;
  assert.match(code, /^[0-9A-HJKMNP-TV-Z]{8}$/);

  // The link is in the invitation; it holds the code and nothing else.
  await hanna.press("Invite");
  assert.equal(await hanna.page.getByLabel("Link", { exact: true }).inputValue(), `${hanna.url}/#${code}`);
  await hanna.page.getByRole("img", { name: /QR code/ }).waitFor();
  await hanna.closeDrawer();

  const jonas = await house.guest(code, "Jonas");
  const mira = await house.guest(code, "Mira");
  const priya = await house.guest(code, "Priya");
  const zoe = await house.guest(code, "Zoe", { watches: true });
  await hanna.seatSays("Zoe", "watching");

  await hanna.press("Edit the story");
  await hanna.page.getByLabel("Title").fill("Pay with a saved card");
  await hanna.page.getByLabel("Key").fill("SHOP-214");
  await hanna.page.getByLabel("Link", { exact: true }).fill("https://example.org/SHOP-214");
  await hanna.press("Save");
  await jonas.reads("Pay with a saved card");
  const link = jonas.page.getByRole("link", { name: /Open the link/ });
  assert.equal(await link.getAttribute("rel"), "noopener noreferrer");

  await hanna.play("5 points");
  await jonas.play("8 points");
  await zoe.reads("2 of 4 voted");
  await jonas.seatSays("Hanna", "voted");
  assert.equal(await jonas.page.title(), "(2/4) Sprint 12");
  // Nobody but Hanna can tell what she played.
  assert.doesNotMatch(await jonas.seat("Hanna").innerText(), /5/);

  // Revealing early asks once, in place.
  await hanna.press("Reveal (2 missing)");
  await hanna.page.getByText("2 people have not voted. Reveal now?").waitFor();
  await hanna.press("Keep voting");
  await mira.play("5 points");
  await priya.play("5 points");
  await hanna.reads("Everybody voted");
  await hanna.press("Reveal");
  for (const person of house.people) await person.reads("Close: 5 or 8");
  assert.equal(await zoe.page.title(), "Revealed: 5 Sprint 12");

  const rows = zoe.page.getByRole("table").getByRole("row");
  assert.equal(await rows.count(), 3);
  assert.match(await rows.nth(1).innerText(), /5[\s\S]*3[\s\S]*Hanna, Mira, Priya/);
  await zoe.page.getByText("Average", { exact: true }).waitFor();
  assert.equal(await zoe.button("Set estimate").count(), 0);

  await hanna.press("Vote again");
  for (const person of house.people) await person.reads("No votes yet");
  for (const person of [hanna, jonas, mira, priya]) await person.play("5 points");
  await hanna.press("Reveal");
  await jonas.reads("Agreed: 5");
  await jonas.hears("assertive", "Cards revealed. Agreed on 5. Average 5, agreement 100 percent.");

  // Who changed is seen in the history.
  await hanna.press("History");
  const changed = hanna.drawer().getByRole("row", { name: /Jonas/ });
  await changed.waitFor();
  assert.match(await changed.innerText(), /8[\s\S]*5/);
  await hanna.closeDrawer();

  await hanna.press("Set estimate");
  await jonas.page.getByText("Estimate: 5", { exact: true }).first().waitFor();

  // The next story: nothing is waiting, so it is asked for.
  await hanna.press("Next story");
  await hanna.page.getByLabel("What are we estimating?").fill("Refund a partial order");
  await hanna.press("Next story");
  for (const person of house.people) await person.reads("Refund a partial order");
  for (const person of house.people) await person.reads("No votes yet");
  await jonas.play("1 point");
  await hanna.play("13 points");
  await hanna.press(/Reveal/);
  await hanna.press("Reveal");
  await mira.reads("Talk: one says 1, one says 13");
  await mira.seatSays("Jonas", "please explain");
  await mira.seatSays("Priya", "no vote");

  // Everybody may take the results along.
  await jonas.press("Menu");
  const [file] = await Promise.all([jonas.page.waitForEvent("download"), jonas.press("CSV")]);
  assert.equal(file.suggestedFilename(), `cardroom-${code}.csv`);
  await jonas.closeDrawer();

  await hanna.press("Menu");
  await hanna.press("End for everybody");
  await hanna.press("Yes");
  for (const person of house.people) await person.page.getByRole("heading", { name: "This session is over." }).waitFor();
  const [late] = await Promise.all([mira.page.waitForEvent("download"), mira.press("Markdown")]);
  assert.equal(late.suggestedFilename(), `cardroom-${code}.md`);
  await mira.press("Start a new one");
  await mira.page.getByRole("heading", { name: "Start a session" }).waitFor();
});

it("a countdown runs for all and can be stopped", async () => {
  const hanna = await house.host("Hanna");
  await hanna.press("Menu");
  await hanna.page.getByRole("switch", { name: /Turn the cards when everybody voted/ }).check();
  // As long as may be: a slow machine must be able to stop it.
  await hanna.page.getByLabel("Countdown before the cards turn").selectOption("10 s");
  await hanna.closeDrawer();
  const jonas = await house.guest(hanna.code, "Jonas");
  const count = async () => {
    for (const person of [hanna, jonas]) await person.hasHeard(/Cards turn in/, "headline");
  };
  for (const person of [hanna, jonas]) await person.listen();
  // A click at once is taken for a second one on "Reveal".
  await hanna.willPress("Wait, not yet", 500);
  await hanna.play("5 points");
  await jonas.play("5 points");
  await count();
  await jonas.reads("Everybody voted");
  for (const person of [hanna, jonas]) await person.listen();
  await jonas.play("3 points");
  await count();
  await hanna.reads("Close: 3 or 5");
});

// The round on the table stood there alone until the others came.
it("the history is shown when all of it is there", async () => {
  const front = await Front.open(house.server.url);
  const hanna = await house.host("Hanna", { front, url: front.url });
  await hanna.play("8 points");
  await hanna.press("Reveal");
  await hanna.press("Vote again");
  await hanna.reads("No votes yet");
  await hanna.play("5 points");
  await hanna.press("Reveal");
  await hanna.reads("Only one estimate: 5");
  front.hold();
  await hanna.press("History");
  await hanna.drawer().getByText("Looking up the rounds…").waitFor();
  assert.equal(await hanna.drawer().getByRole("row").count(), 0);
  front.release();
  const row = hanna.drawer().getByRole("row", { name: /Hanna/ });
  await row.waitFor();
  assert.match(await row.innerText(), /8[\s\S]*5/);
});

it("earlier rounds are shown once, however often one asks", async () => {
  const hanna = await house.host("Hanna");
  await rounds(house, hanna, 25);
  await hanna.press("History");
  const columns = hanna.drawer().getByRole("columnheader", { name: /Round/ });
  await hanna.button("Show more").waitFor();
  assert.equal(await columns.count(), 20);
  await hanna.button("Show more").evaluate((button) => {
    button.click();
    button.click();
  });
  await hanna.button("Show more").waitFor({ state: "detached" });
  // Time for the other answer.
  await hanna.page.waitForTimeout(500);
  assert.equal(await columns.count(), 25);
});

it("the suggested estimate follows the cards, until another is typed", async () => {
  const hanna = await house.host("Hanna");
  await hanna.press("Menu");
  await hanna.page.getByRole("switch", { name: /Cards may change after the reveal/ }).check();
  await hanna.closeDrawer();
  await hanna.play("5 points");
  await hanna.press("Reveal");
  await hanna.reads("Only one estimate: 5");
  const estimate = hanna.page.getByRole("combobox", { name: "Estimate" });
  assert.equal(await estimate.inputValue(), "5");
  await hanna.play("8 points");
  await hanna.reads("Only one estimate: 8");
  assert.equal(await estimate.inputValue(), "8");
  await estimate.fill("7");
  await hanna.play("13 points");
  await hanna.reads("Only one estimate: 13");
  assert.equal(await estimate.inputValue(), "7");
});

it("stories wait in their drawer, and looking at them changes nothing", async () => {
  const hanna = await house.host("Hanna");
  const jonas = await house.guest(hanna.code, "Jonas");
  await hanna.press(/^Stories/);
  await hanna.page.getByLabel("Add a story").fill("One\nTwo\nThree");
  await hanna.press("Add 3 stories");
  await hanna.page.getByText("3 stories added.").waitFor();
  await hanna.press("Move Three up");
  const titles = hanna.drawer().getByRole("listitem").locator("bdi");
  await hanna.page.waitForFunction(() => [...document.querySelectorAll("dialog li bdi")].map((one) => one.textContent).join().endsWith("One,Three,Two"));
  assert.equal(await titles.count(), 4);
  await jonas.press(/^Stories/);
  await jonas.drawer().getByText("Three").waitFor();
  assert.equal(await jonas.button("Put on the table").count(), 0);
  // The way back closes the drawer, not the session.
  await jonas.page.goBack();
  await jonas.drawer().waitFor({ state: "detached" });
  await jonas.isSeated();

  const row = hanna.drawer().getByRole("listitem").filter({ hasText: "Two" });
  await row.getByRole("button", { name: "Delete Two" }).click();
  await row.getByRole("button", { name: "Yes" }).click();
  await row.waitFor({ state: "detached" });
  await hanna.drawer().getByRole("listitem").filter({ hasText: "Three" }).getByRole("button", { name: "Put on the table" }).click();
  await jonas.reads("Three");
  await hanna.drawer().waitFor({ state: "detached" });
});

it("a drawer is closed by what closes it, and nothing else", async () => {
  const front = await Front.open(house.server.url);
  const hanna = await house.host("Hanna", { front, url: front.url });
  await hanna.press(/^Stories/);
  const field = hanna.page.getByLabel("Add a story");
  await field.fill("One");
  front.hold();
  await hanna.press("Add");
  await field.fill("Two");
  front.release();
  await hanna.button("Put on the table").waitFor();
  await hanna.page.getByText("1 story added.").waitFor();
  assert.equal(await field.inputValue(), "Two");
  // Opened before the browser has gone back from the one before.
  await hanna.page.evaluate(() => {
    const went = new Promise((resolve) => addEventListener("popstate", () => setTimeout(resolve), { once: true }));
    document.querySelector("dialog [aria-label=Close]").click();
    document.querySelector("button[aria-label=Menu]").click();
    return went;
  });
  await hanna.drawer().getByRole("heading", { name: "Menu" }).waitFor();
  await hanna.page.goBack();
  await hanna.drawer().waitFor({ state: "detached" });
  await hanna.isSeated();

  // An answer that comes later closes the drawer that it belongs to.
  await hanna.press(/^Stories/);
  front.hold();
  await hanna.press("Put on the table");
  await hanna.closeDrawer();
  await hanna.press("Menu");
  front.release();
  await hanna.page.locator("main").getByText("One", { exact: true }).waitFor();
  await hanna.drawer().getByRole("heading", { name: "Menu" }).waitFor();
});

it("the host helps and sends away", async () => {
  const hanna = await house.host("Hanna");
  const jonas = await house.guest(hanna.code, "Jonas");
  await hanna.press("More about Jonas");
  await hanna.press("Nudge");
  await jonas.page.getByText("Your table waits for your card.").waitFor();
  await hanna.press("Let only watch");
  await jonas.page.getByText("You are watching.").waitFor();
  await hanna.press("Make facilitator");
  await jonas.seatSays("Jonas", "facilitator");
  await hanna.press("Remove");
  await hanna.press("Yes");
  await jonas.page.getByRole("heading", { name: "You were removed from the table." }).waitFor();
  await hanna.seat("Jonas").waitFor({ state: "detached" });
});
