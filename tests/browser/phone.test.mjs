// The page in a hand: nothing to push sideways, nothing too small to touch,
// and nothing that jumps.

import assert from "node:assert/strict";
import { it } from "node:test";

import { crowd } from "./support/crowd.mjs";
import { open, PHONE, SMALL, WIDE } from "./support/people.mjs";

const house = await open();
const TARGET_PX = 44;

for (const [name, viewport] of Object.entries({ "390 px": PHONE, "320 px": SMALL })) {
  it(`a phone of ${name} plays along`, async () => {
    const hanna = await house.host("Hanna with a long name that goes on", { session: "Sprint 12 with a name longer than the screen", ...viewport });
    const fits = async (where) => assert.equal(await hanna.overhang(), 0, `${where} goes beyond the screen`);
    await fits("the table alone");
    const jonas = await house.guest(hanna.code, "Bartholomew-Maximilian");
    const zoe = await house.guest(hanna.code, "Zoe", { watches: true, ...viewport });
    await hanna.press("Edit the story");
    await hanna.page.getByLabel("Title").fill("Averyveryverylongwordthatnobodywouldwrite and some others that people would");
    await fits("the story's form");
    await hanna.press("Save");
    await jonas.reads(/Averyvery/);
    await jonas.play("13 points");
    await hanna.play("1 point");
    await fits("voting");
    assert.deepEqual(await tooSmall(hanna.page), []);

    const places = () => hanna.page.locator(".seat .place").evaluateAll((all) => all.map((one) => Math.round(one.getBoundingClientRect().top + scrollY)));
    const before = await places();
    await hanna.press("Reveal");
    await hanna.reads("Talk: one says 1, one says 13");
    assert.deepEqual(await places(), before, "the cards turn where they lie");
    await fits("the result");
    assert.deepEqual(await tooSmall(hanna.page), []);

    for (const drawer of ["Invite", "History", "Menu", /^Stories/]) {
      await hanna.press(drawer);
      await hanna.drawer().waitFor();
      await fits(`the drawer ${drawer}`);
      assert.equal(await hanna.drawer().evaluate((one) => one.scrollWidth - one.clientWidth), 0, `the drawer ${drawer} goes beyond itself`);
      assert.deepEqual(await tooSmall(hanna.page), []);
      await hanna.closeDrawer();
    }
    await zoe.press("Take part");
    await zoe.card("5 points").waitFor({ state: "detached" });
  });
}

it("the cards turn in place on a wide screen, too", async () => {
  const hanna = await house.host("Hanna", WIDE);
  const jonas = await house.guest(hanna.code, "Jonas");
  await jonas.play("8 points");
  await hanna.play("5 points");
  const places = () => hanna.page.locator(".seat .place").evaluateAll((all) => all.map((one) => Math.round(one.getBoundingClientRect().top + scrollY)));
  const before = await places();
  const reveal = await hanna.button("Reveal").boundingBox();
  await hanna.press("Reveal");
  await hanna.reads("Close: 5 or 8");
  assert.deepEqual(await places(), before);
  const again = await hanna.button("Vote again").boundingBox();
  assert.ok(!overlap(reveal, again), "revealing and voting again are never at the same place");
});

it("fifty people fit on one screen without a push to the side", async () => {
  const hanna = await house.host("Hanna", PHONE);
  await crowd(house, hanna.code, 49);
  await hanna.seat("Person 49").waitFor();
  assert.equal(await hanna.overhang(), 0);
});

const overlap = (a, b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

/** What can be touched and is smaller than a finger: by its box, or its label's. */
async function tooSmall(page) {
  return page.evaluate((least) => {
    const touchable = [...document.querySelectorAll("button, a[href], input, select, textarea, summary")];
    return touchable
      .map((one) => one.closest("label:not(.field)") ?? one)
      .filter((one) => one.checkVisibility())
      .map((one) => ({ what: one.getAttribute("aria-label") ?? one.textContent, box: one.getBoundingClientRect() }))
      .filter(({ box }) => box.width > 0 && (box.width < least - 0.5 || box.height < least - 0.5))
      .map(({ what, box }) => `${what}: ${Math.round(box.width)} × ${Math.round(box.height)}`);
  }, TARGET_PX);
}

it("a screen is kept on as long as it is wanted", async () => {
  const hanna = await house.person(PHONE);
  await hanna.page.addInitScript(() => {
    window.locks = [];
    const { request } = WakeLock.prototype;
    WakeLock.prototype.request = async function (kind) {
      const lock = await request.call(this, kind);
      window.locks.push(lock);
      await window.mayGoOn;
      return lock;
    };
  });
  const guest = await house.host("Jonas");
  await hanna.enter(guest.code, "Hanna");
  await hanna.press("Menu");
  const isKept = hanna.page.getByRole("switch", { name: "Keep the screen on while voting" });
  await hanna.page.evaluate(() => void (window.mayGoOn = new Promise((resolve) => (window.goOn = resolve))));
  await isKept.check();
  await hanna.page.waitForFunction(() => window.locks.length === 1);
  await isKept.uncheck();
  await hanna.page.evaluate(() => window.goOn());
  await hanna.page.waitForFunction(() => window.locks.every((lock) => lock.released));
});
