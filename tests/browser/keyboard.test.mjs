// Without a mouse, and without a screen.

import assert from "node:assert/strict";
import { it } from "node:test";

import { Front } from "../clients/support/front.mjs";
import { open } from "./support/people.mjs";

const house = await open();

/** Walks with Tab until what has the focus is called so. */
async function tabTo(page, name, { key = "Tab", steps = 60 } = {}) {
  for (let step = 0; step < steps; step += 1) {
    const focused = await page.evaluate(() => {
      const one = document.activeElement;
      return one?.getAttribute("aria-label") ?? one?.labels?.[0]?.textContent ?? one?.textContent ?? "";
    });
    if (typeof name === "string" ? focused.trim() === name : name.test(focused)) return;
    await page.keyboard.press(key);
  }
  assert.fail(`Tab does not lead to ${name}`);
}

const focusIsSomewhere = async (page) =>
  assert.notEqual(await page.evaluate(() => document.activeElement?.tagName), "BODY", "the focus is lost");

it("the keyboard alone plays a whole session", async () => {
  const hanna = await house.person();
  const { page } = hanna;
  const { keyboard } = page;
  await page.goto(hanna.url);
  await tabTo(page, "Your name");
  await keyboard.type("Hanna");
  await keyboard.press("Enter");
  await hanna.isSeated();
  const code = new URL(page.url()).hash.slice(1);
  const jonas = await house.guest(code, "Jonas");

  await keyboard.press("Alt+i");
  await hanna.drawer().waitFor();
  await tabTo(page, "Copy link");
  await keyboard.press("Escape");
  await hanna.drawer().waitFor({ state: "detached" });

  await tabTo(page, "Edit the story");
  await keyboard.press("Enter");
  // Nobody types before the field is there.
  await page.waitForFunction(() => ["INPUT", "TEXTAREA"].includes(document.activeElement?.tagName ?? ""));
  await keyboard.type("Pay 13 ways"); // digits in a field choose no card
  await keyboard.press("Enter");
  await jonas.reads("Pay 13 ways");
  assert.equal(await page.getByRole("radio", { checked: true }).count(), 0);

  // Arrows walk, Space plays, Home and End jump.
  await tabTo(page, /0 points/);
  await keyboard.press("ArrowRight");
  await keyboard.press("ArrowRight");
  await hanna.page.waitForTimeout(400);
  assert.equal(await page.getByRole("radio", { checked: true }).count(), 0);
  await keyboard.press("Space");
  await hanna.page.getByText("Saved", { exact: true }).waitFor();
  await hanna.holds("2 points");
  await keyboard.press("End");
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-label")), "infinite");
  await keyboard.press("Home");
  await keyboard.press("Enter");
  await hanna.holds("0 points");

  // A character chooses, and again chooses the next that begins so.
  await keyboard.press("1");
  await hanna.holds("1 point");
  await keyboard.press("1");
  await hanna.holds("13 points");
  await keyboard.press("?");
  await hanna.holds("unknown");
  await keyboard.press("Delete");
  await jonas.reads("No votes yet");
  await keyboard.press("5");
  await hanna.page.getByText("Saved", { exact: true }).waitFor();

  await tabTo(page, "a guess");
  await keyboard.press("Space");
  await keyboard.press("ArrowRight");
  await keyboard.press("ArrowRight");
  await keyboard.press("ArrowRight");
  await hanna.holds("quite sure");
  await jonas.play("5 points");

  await Promise.all([jonas.page.getByText(/^Timer0:5\d$/).waitFor(), keyboard.press("Alt+t")]);
  await hanna.reads("Everybody voted");
  await keyboard.press("Alt+r");
  await hanna.reads("Agreed: 5");
  await focusIsSomewhere(page);
  await tabTo(page, "Set estimate");
  await keyboard.press("Enter");
  await jonas.page.getByText("Estimate: 5", { exact: true }).first().waitFor();
  await focusIsSomewhere(page);

  await keyboard.press("Alt+n");
  for (const person of [jonas, hanna]) await person.reads("No votes yet");
  await focusIsSomewhere(page);
  await keyboard.press("8");
  await hanna.page.getByText("Saved", { exact: true }).waitFor();
  // Early, so it asks; the answer is one key.
  await keyboard.press("Alt+r");
  await hanna.page.getByText("1 person has not voted. Reveal now?").waitFor();
  await tabTo(page, "Reveal");
  await keyboard.press("Enter");
  await hanna.reads("Only one estimate: 8");
  await focusIsSomewhere(page);
  await keyboard.press("Alt+k");
  await hanna.drawer().getByText("clear your vote").waitFor();
  await keyboard.press("Escape");

  await tabTo(page, "Next story");
  await keyboard.press("Enter");
  await keyboard.type("Refund");
  await keyboard.press("Enter");
  await jonas.reads("Refund");
  await focusIsSomewhere(page);

  await tabTo(page, "Menu");
  await keyboard.press("Enter");
  await tabTo(page, "End for everybody");
  await keyboard.press("Enter");
  await tabTo(page, "Yes");
  await keyboard.press("Enter");
  await jonas.page.getByRole("heading", { name: "This session is over." }).waitFor();
});

it("letters choose shirts, and single keys can be switched off", async () => {
  const hanna = await house.host("Hanna", { deck: "T-shirt sizes" });
  const { keyboard } = hanna.page;
  await keyboard.press("x");
  await hanna.holds("XS");
  await keyboard.press("x");
  await hanna.holds("XL");
  await hanna.press("Menu");
  await hanna.page.getByRole("switch", { name: /Single keys/ }).uncheck();
  await hanna.closeDrawer();
  await keyboard.press("m");
  assert.equal(await hanna.card("M").isChecked(), false);
  await hanna.page.reload();
  await hanna.isSeated();
  await keyboard.press("m");
  assert.equal(await hanna.card("M").isChecked(), false);
});

it("the live region says what happens, once", async () => {
  const front = await Front.open(house.server.url);
  const hanna = await house.host("Hanna");
  const jonas = await house.guest(hanna.code, "Jonas", { front, url: front.url });
  const mira = await house.guest(hanna.code, "Mira");
  await hanna.hears("polite", "Mira joined.");
  await jonas.play("5 points");
  for (const person of [hanna, mira]) await person.hears("polite", "Jonas voted. 1 of 3.");
  // Two at once become one sentence.
  front.hold();
  await Promise.all([mira.play("5 points"), hanna.play("8 points")]);
  front.release();
  await jonas.hears("polite", "3 of 3 voted.");
  await hanna.press("Start a timer of 1:00");
  await jonas.hears("polite", "Timer started: 1:00.");
  await hanna.press("Reveal");
  await jonas.hears("assertive", "Cards revealed. Close: 5 or 8. Average 6, agreement 67 percent.");
  await hanna.press("Vote again");
  await jonas.hears("polite", "New round: Untitled story.");
  await jonas.page.close();
  // The sentences of a seat name it and its state.
  await mira.page.getByRole("listitem").filter({ hasText: "Hanna, host, thinking" }).waitFor();
});
