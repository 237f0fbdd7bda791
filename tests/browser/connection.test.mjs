// What stands between a player and the table: a lost network, a limit, a
// moment's haste.

import assert from "node:assert/strict";
import { it } from "node:test";

import { Front } from "../clients/support/front.mjs";
import { open } from "./support/people.mjs";
import { wire } from "./support/wire.mjs";

const house = await open({ "rate_limits.vote:submit": 2, "rate_limits.vote:change": 2, "rate_limits.session:configure": 1 });

it("offline and back: the table stays, and the last card arrives", async () => {
  const line = await wire(house.server.url);
  const hanna = await house.host("Hanna");
  const jonas = await house.guest(hanna.code, "Jonas", { url: line.url });
  line.cut();
  await jonas.context.setOffline(true);
  await jonas.page.getByText("Offline", { exact: true }).waitFor();
  await jonas.page.getByText(/You are offline/).waitFor();
  await jonas.seat("Hanna").waitFor();
  // The deck works, everything else waits.
  await jonas.card("3 points").click();
  await jonas.card("8 points").click();
  await jonas.page.getByText("Kept here; sent when the connection is back.").waitFor();
  line.mend();
  await jonas.context.setOffline(false);
  await jonas.isSeated();
  await jonas.page.getByText("Saved", { exact: true }).waitFor();
  await hanna.seatSays("Jonas", "voted");
  await hanna.press(/Reveal/);
  await hanna.press("Reveal");
  await hanna.reads("Only one estimate: 8");
});

it("a choice for a round that is over is not taken into the next", async () => {
  const line = await wire(house.server.url);
  const hanna = await house.host("Hanna");
  const jonas = await house.guest(hanna.code, "Jonas", { url: line.url });
  await hanna.play("5 points");
  line.cut();
  await jonas.page.getByText(/Reconnecting/).waitFor();
  await jonas.card("8 points").click();
  await hanna.press("New round");
  await hanna.page.getByText("The votes nobody has seen will be lost. Start again?").waitFor();
  await hanna.press("New round");
  await hanna.reads("No votes yet");
  line.mend();
  // Unless the page has tried by itself, and the button is gone.
  await Promise.race([jonas.press("Try now").catch(() => {}), jonas.isSeated()]);
  await jonas.isSeated();
  await jonas.page.getByText("The story changed; choose again.").waitFor();
  assert.equal(await jonas.card("8 points").isChecked(), false);
  await hanna.reads("No votes yet");
});

it("a link that is followed while the server is away is looked up again", async () => {
  const line = await wire(house.server.url);
  const hanna = await house.host("Hanna");
  const jonas = await house.person({ url: line.url });
  await jonas.page.goto(line.url);
  line.cut();
  const failed = jonas.page.waitForEvent("requestfailed");
  await jonas.page.evaluate((code) => void (location.hash = code), hanna.code);
  await failed;
  line.mend();
  await jonas.page.getByRole("button", { name: "Take a seat" }).waitFor();
});

it("an answer that never comes is not waited for", async () => {
  const hanna = await house.host("Hanna");
  const jonas = await house.person();
  await jonas.page.route("**/api/v1/sessions/*", () => {}, { times: 1 });
  await jonas.enter(hanna.code, "Jonas");
});

it("an answer that comes late fetches nobody back", async () => {
  const hanna = await house.host("Hanna");
  const jonas = await house.person();
  const { page } = jonas;
  await page.goto(jonas.url);
  let open;
  const gate = new Promise((resolve) => (open = resolve));
  await page.route("**/socket.io/**", (route) => gate.then(() => route.continue()).catch(() => {}));
  await page.getByLabel("Your name").fill("Jonas");
  const asked = page.waitForRequest(/socket\.io/);
  await jonas.press("Create session");
  await asked;
  await page.evaluate((code) => void (location.hash = code), hanna.code);
  await jonas.button("Take a seat").waitFor();
  open();
  // Time for the answer, were it still awaited.
  await page.waitForTimeout(1_000);
  await jonas.press("Take a seat");
  await jonas.isSeated();
  await jonas.seat("Hanna").waitFor();
});

// Guards `useStore`: what changed between a rendering and its effects was never shown.
it("a browser that is slow to run effects shows what came meanwhile", async () => {
  const hanna = await house.host("Hanna");
  const jonas = await house.person();
  await jonas.page.addInitScript(() => {
    const { requestAnimationFrame, setTimeout } = window;
    window.requestAnimationFrame = (act) => setTimeout(() => requestAnimationFrame(act), 1_000);
    window.setTimeout = (act, ms, ...words) => setTimeout(act, 1_000 + (ms ?? 0), ...words);
  });
  await jonas.enter(hanna.code, "Jonas");
});

it("a setting that is refused is shown as it is", async () => {
  const hanna = await house.host("Hanna");
  await hanna.press("Menu");
  const notice = hanna.page.getByText(/Try again in \d+ s/);
  await hanna.page.getByRole("switch", { name: /Cards may change after the reveal/ }).check();
  const confidence = hanna.page.getByRole("switch", { name: /how sure/i });
  assert.equal(await confidence.isChecked(), true);
  await confidence.click();
  await notice.waitFor();
  await hanna.page.getByRole("switch", { name: /how sure/i, checked: true }).waitFor();
  const countdown = hanna.page.getByLabel("Countdown before the cards turn");
  await countdown.selectOption("10 s");
  await hanna.page.waitForFunction((select) => select.selectedOptions[0].textContent === "3 s", await countdown.elementHandle());
});

it("whoever looks again after a lost connection is not away", async () => {
  const front = await Front.open(house.server.url);
  const hanna = await house.host("Hanna");
  const jonas = await house.person({ front, url: front.url });
  await jonas.page.addInitScript(() => {
    // A minute out of sight passes at once.
    const { setTimeout } = window;
    window.setTimeout = (act, ms, ...words) => setTimeout(act, ms === 60_000 ? 0 : ms, ...words);
    window.see = (sight) => {
      Object.defineProperty(document, "visibilityState", { value: sight, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    };
  });
  await jonas.enter(hanna.code, "Jonas");
  await jonas.page.evaluate(() => window.see("hidden"));
  await hanna.seatSays("Jonas", "away");
  // The server does not know that it was lost.
  await jonas.context.setOffline(true);
  front.cutUnnoticed();
  await jonas.page.getByText("Offline", { exact: true }).waitFor();
  await jonas.page.evaluate(() => window.see("visible"));
  await jonas.context.setOffline(false);
  await hanna.seatSays("Jonas", "thinking");
});

it("too fast: the last choice is kept, and sent in time", { timeout: 120_000 }, async () => {
  const hanna = await house.host("Hanna");
  const cards = ["1 point", "2 points", "3 points", "5 points", "8 points", "13 points"];
  const tooFast = hanna.page.getByText(/Too fast\. Your choice is kept and sent in \d+ s\./);
  let last;
  // Two in quick succession are one to the server: until it has had too many.
  for (let n = 0; !(await tooFast.isVisible()); n++) {
    last = hanna.card(cards[n % cards.length]);
    await last.click();
    await hanna.page.waitForTimeout(450);
  }
  assert.equal(await last.isChecked(), true);
  await hanna.page.getByText("Saved", { exact: true }).waitFor({ timeout: 75_000 });
  assert.equal(await last.isChecked(), true);
});

it("a reveal by another does not meet a hasty new round", async () => {
  const hanna = await house.host("Hanna");
  const jonas = await house.guest(hanna.code, "Jonas");
  await hanna.press("More about Jonas");
  await hanna.press("Make facilitator");
  await jonas.seatSays("Jonas", "facilitator");
  await hanna.closeDrawer();
  await hanna.play("5 points");
  await jonas.play("5 points");
  await hanna.button("Reveal").waitFor();
  // As fast as the page lets her: in the moment in which Jonas reveals.
  await hanna.page.evaluate(() => {
    new MutationObserver(() => {
      const again = [...document.querySelectorAll("button")].find((one) => one.textContent === "Vote again");
      if (again && !window.sawInert) {
        window.sawInert = again.getAttribute("aria-disabled");
        again.click();
      }
    }).observe(document.body, { childList: true, subtree: true });
  });
  await jonas.press("Reveal");
  await hanna.reads("Agreed: 5");
  assert.equal(await hanna.page.evaluate(() => window.sawInert), "true");
  const again = hanna.page.locator("button[aria-disabled=false]", { hasText: "Vote again" });
  await again.waitFor();
  await jonas.reads("Agreed: 5");
  await jonas.listen();
  // And it can be taken back, for a few seconds.
  await hanna.willPress("Bring the cards back");
  await again.click();
  await jonas.hasHeard("No votes yet", "headline");
  await jonas.reads("Agreed: 5");
});
