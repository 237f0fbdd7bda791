// Every screen, wide and in the hand, by day and by night: a picture in
// target/screens, and nothing that axe-core minds.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { it } from "node:test";
import { fileURLToPath } from "node:url";

import { Front } from "../clients/support/front.mjs";
import { crowd } from "./support/crowd.mjs";
import { open, PHONE, WIDE } from "./support/people.mjs";

const SCREENS = fileURLToPath(new URL("../../target/screens", import.meta.url));
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
mkdirSync(SCREENS, { recursive: true });

const NOWHERE = "http://127.0.0.1:1";

const house = await open();

/** A picture and a check of what two people see now, in both themes. */
async function look(name, { wide, phone }) {
  const problems = [];
  for (const [width, person] of Object.entries({ wide, phone })) {
    if (!person) continue;
    for (const theme of ["light", "dark"]) {
      const { page } = person;
      await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
      await page.evaluate(() => document.fonts.ready);
      await page.screenshot({ path: `${SCREENS}/${name}-${width}-${theme}.png` });
      // Into a world of its own: the page's policy lets no other script in.
      for (const violation of await axe(page)) problems.push(`${name} ${width} ${theme}: ${violation}`);
      assert.equal(await person.overhang(), 0, `${name} ${width} goes beyond the screen`);
    }
  }
  assert.deepEqual(problems, []);
}

async function axe(page) {
  const frame = await page.context().newCDPSession(page);
  const { frameTree } = await frame.send("Page.getFrameTree");
  const { executionContextId: contextId } = await frame.send("Page.createIsolatedWorld", { frameId: frameTree.frame.id, worldName: "axe" });
  const run = async (expression) => {
    const { result, exceptionDetails } = await frame.send("Runtime.evaluate", { contextId, expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  await run(`${AXE}; undefined`);
  const found = await run(`axe.run(document, { runOnly: ${JSON.stringify(RULES)} }).then(({ violations }) =>
    violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => id + " at " + target.join(" ") + ": " + failureSummary)))`);
  await frame.detach();
  return found;
}

/** A way in of somebody's own, that can be frozen. */
async function behindFront() {
  const front = await Front.open(house.server.url);
  return { front, url: front.url };
}

const both = async (wide, phone, act) => {
  for (const person of [wide, phone]) await act(person);
};

it("the start, and the ways in", async () => {
  const wide = await house.person(WIDE);
  const phone = await house.person(PHONE);
  await both(wide, phone, async ({ page, url }) => {
    await page.goto(url);
    await page.getByRole("heading", { name: "Start a session" }).waitFor();
  });
  await look("start", { wide, phone });
  await both(wide, phone, ({ page }) => page.getByLabel(/Choose your emoji/).click());
  await look("start-faces", { wide, phone });
  const host = await house.host("Hanna", { session: "Sprint 12 · Checkout" });
  await house.guest(host.code, "Mira");
  await both(wide, phone, async ({ page, url }) => {
    await page.goto(`${url}/#${host.code}`);
    await page.getByLabel("Your name").waitFor();
  });
  await look("join", { wide, phone });
  await both(wide, phone, async ({ page, url }) => {
    await page.goto(`${url}/#ABCDABCD`);
    await page.getByRole("heading", { name: "There is no such table." }).waitFor();
  });
  await look("dead-end", { wide, phone });
});

it("the table in all its phases, and the drawers", { timeout: 1_800_000 }, async () => {
  const wide = await house.host("Hanna", { session: "Sprint 12 · Checkout", ...WIDE, ...(await behindFront()) });
  await look("alone", { wide });
  const phone = await house.guest(wide.code, "Jonas", { ...PHONE, ...(await behindFront()) });
  const others = [];
  for (const name of ["Mira", "Priya Raman", "Bartholomew Longname-Featherstone"]) others.push(await house.guest(wide.code, name));
  await house.guest(wide.code, "Zoë", { watches: true });
  await wide.press("More about Jonas");
  await look("person", { wide });
  await wide.press("Make facilitator");
  await wide.closeDrawer();

  await wide.press("Edit the story");
  await wide.page.getByLabel("Title").fill("As a guest I can pay with a saved card");
  await wide.page.getByLabel("Key").fill("SHOP-214");
  await wide.page.getByLabel("Link", { exact: true }).fill("https://example.org/browse/SHOP-214");
  await wide.page.getByLabel("Description").fill("The card is charged once.\nNo account is needed.");
  await look("editing", { wide });
  await wide.press("Save");
  await phone.reads("As a guest I can pay with a saved card");

  await wide.play("5 points");
  await phone.play("8 points");
  await others[0].play("5 points");
  await wide.reads("3 of 5 voted");
  await wide.card("quite sure").click();
  await wide.press("Start a timer of 1:00");
  await wide.press("Details");
  await look("voting", { wide, phone });
  await wide.press("Details");
  await wide.page.locator("summary").filter({ hasText: "Timer" }).click();
  await look("timer", { wide });
  await wide.press("Stop");

  await others[1].play("21 points");
  await both(wide, phone, async (person) => {
    await person.reads("4 of 5 voted");
    await person.press("Reveal (1 missing)");
  });
  await look("asking", { wide, phone });
  await phone.press("Keep voting");
  await wide.press("Reveal");
  await both(wide, phone, (person) => person.reads("Talk: one says 5, one says 21"));
  await look("revealed", { wide, phone });
  await wide.page.getByText("React", { exact: true }).click();
  await wide.press("React with 🎉");
  await look("reacting", { wide });
  await wide.page.getByText("React", { exact: true }).click();

  await wide.press("Vote again");
  for (const person of [wide, phone, ...others]) await person.reads("No votes yet");
  for (const person of [wide, phone, ...others]) await person.play("5 points");
  await wide.press("Reveal");
  await both(wide, phone, (person) => person.reads("Agreed: 5"));
  await look("agreed", { wide, phone });
  await wide.press("Set estimate");
  await phone.page.getByText("Estimate: 5", { exact: true }).first().waitFor();

  await both(wide, phone, (person) => person.press("History"));
  await both(wide, phone, (person) => person.drawer().getByRole("row", { name: /Jonas/ }).waitFor());
  await look("history", { wide, phone });
  await both(wide, phone, (person) => person.closeDrawer());

  await wide.press(/^Stories/);
  await wide.page.getByLabel("Add a story").fill("Refund a partial order\nShow delivery dates\nWallet button on the product page");
  await wide.press("Add 3 stories");
  await wide.page.getByText("3 stories added.").waitFor();
  await phone.press(/^Stories/);
  await look("stories", { wide, phone });
  await both(wide, phone, (person) => person.closeDrawer());

  for (const [name, drawer] of Object.entries({ invite: "Invite", menu: "Menu" })) {
    await both(wide, phone, (person) => person.press(drawer));
    await look(name, { wide, phone });
    await both(wide, phone, (person) => person.closeDrawer());
  }
  await wide.press("Menu");
  await wide.press("End for everybody");
  await look("ending", { wide });
  await wide.press("No");
  await wide.press("Keys");
  await look("keys", { wide });
  await wide.closeDrawer();

  await wide.press("Menu");
  await wide.page.getByRole("switch", { name: /Turn the cards when everybody voted/ }).check();
  await wide.page.getByLabel("Countdown before the cards turn").selectOption("10 s");
  await wide.closeDrawer();
  await wide.press("Next story");
  for (const person of [wide, phone, ...others]) await person.reads("Refund a partial order");
  const freeze = ({ front }) => {
    front.target = NOWHERE;
    front.freeze();
  };
  const thaw = ({ front }) => {
    front.target = house.server.url;
    front.cut();
  };
  for (;;) {
    for (const person of [wide, phone, ...others]) await person.card("8 points").click();
    await both(wide, phone, (person) => person.reads(/Cards turn in|Agreed: 8/));
    // Nobody hears that the cards have turned until the pictures are made.
    await both(wide, phone, freeze);
    const isCounting = (await Promise.all([wide, phone].map((person) => person.headline(/Cards turn in/).isVisible()))).every(Boolean);
    if (isCounting) {
      await look("countdown", { wide, phone });
      await both(wide, phone, (person) => person.reads(/Cards turn in/));
    }
    await both(wide, phone, thaw);
    await both(wide, phone, (person) => person.reads("Agreed: 8"));
    if (isCounting) break;
    // They had turned before one could look: once more.
    await wide.page.locator("button[aria-disabled=false]", { hasText: "Vote again" }).click();
    for (const person of [wide, phone, ...others]) await person.reads("No votes yet");
  }

  await both(wide, phone, ({ context }) => context.setOffline(true));
  await both(wide, phone, ({ page }) => page.getByText("Offline", { exact: true }).waitFor({ timeout: 30_000 }));
  await look("offline", { wide, phone });
  await both(wide, phone, ({ context }) => context.setOffline(false));
  await both(wide, phone, (person) => person.isSeated());

  await phone.press("Menu");
  await phone.press("Leave");
  await phone.press("Yes");
  await phone.page.getByRole("heading", { name: "Start a session" }).waitFor();
  await wide.press("Menu");
  await wide.press("End for everybody");
  await wide.press("Yes");
  await wide.page.getByRole("heading", { name: "This session is over." }).waitFor();
  await look("ended", { wide });
  await look("start-again", { phone });
});

it("a full table is drawn small", async () => {
  const wide = await house.host("Hanna", { session: "All hands", ...WIDE });
  await crowd(house, wide.code, 28);
  const phone = await house.guest(wide.code, "Jonas", PHONE);
  await wide.seat("Jonas").waitFor();
  await look("full", { wide, phone });
});
