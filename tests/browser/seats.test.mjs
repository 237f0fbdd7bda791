// A seat is kept: through a refresh, in a second tab, and for nobody else.

import assert from "node:assert/strict";
import { it } from "node:test";

import { open } from "./support/people.mjs";

const house = await open();

it("a refresh keeps the seat and the vote", async () => {
  const hanna = await house.host("Hanna");
  await hanna.play("8 points");
  // It is said for a few seconds.
  await hanna.listen();
  await hanna.page.reload({ waitUntil: "commit" });
  await hanna.hasHeard("Back in as Hanna.", "notice");
  await hanna.isSeated();
  await hanna.holds("8 points");
  assert.equal(await hanna.page.getByRole("listitem").filter({ hasText: "Hanna" }).count(), 1);
});

it("a second tab is the same seat, and shows the same vote", async () => {
  const hanna = await house.host("Hanna");
  const first = hanna.page;
  const second = await hanna.tab();
  await second.goto(first.url());
  await hanna.isSeated(second);
  await first.getByRole("radio", { name: "3 points", exact: true }).click();
  await second.getByText("Saved", { exact: true }).waitFor();
  await second.getByRole("radio", { name: "3 points", exact: true, checked: true }).waitFor();
  await second.close();
  await first.waitForTimeout(300);
  await first.getByText("Online", { exact: true }).waitFor();
});

it("somebody else at the same browser takes a seat of his own", async () => {
  const hanna = await house.host("Hanna");
  await hanna.willPress("Not you?");
  await hanna.page.reload();
  await hanna.page.getByRole("heading", { name: "Sprint 12" }).waitFor();
  await hanna.page.getByLabel("Your name").fill("Jonas");
  await hanna.press("Take a seat");
  await hanna.isSeated();
  await hanna.seatSays("Jonas", "you");
});

it("whoever does not want to be remembered is not", async () => {
  const hanna = await house.host("Hanna");
  const jonas = await house.person();
  await jonas.page.goto(`${jonas.url}/#${hanna.code}`);
  await jonas.page.getByLabel("Your name").fill("Jonas");
  await jonas.page.getByRole("switch", { name: /Remember me/ }).uncheck();
  await jonas.press("Take a seat");
  await jonas.isSeated();
  const kept = await jonas.page.evaluate(() => Object.keys(localStorage).filter((key) => key.includes("seat")));
  assert.deepEqual(kept, []);
  await jonas.page.reload();
  await jonas.isSeated();
});

it("a code may be typed as people type, or pasted with all around it", async () => {
  const hanna = await house.host("Hanna");
  const jonas = await house.person();
  await jonas.page.goto(jonas.url);
  const field = jonas.page.getByLabel("Code");
  await field.fill(`${hanna.code.slice(0, 4).toLowerCase()}-${hanna.code.slice(4).toLowerCase()}`);
  assert.equal(await field.inputValue(), hanna.code);
  await field.fill("");
  await jonas.press("Join");
  await jonas.page.getByText("A code has 8 letters and digits.").waitFor();
  await field.fill(`${hanna.url}/#${hanna.code}`);
  await jonas.press("Join");
  await jonas.page.getByRole("heading", { name: "Sprint 12" }).waitFor();
  await jonas.page.getByText("1 person at the table. Deck: Fibonacci").waitFor();
});

it("dead ends have one sentence and one way on", async () => {
  const nobody = await house.person();
  await nobody.page.goto(`${nobody.url}/#ABCDABCD`);
  await nobody.page.getByRole("heading", { name: "There is no such table." }).waitFor();
  await nobody.press("Start page");
  await nobody.page.getByRole("heading", { name: "Start a session" }).waitFor();

  const hanna = await house.host("Hanna");
  await hanna.press("Menu");
  await hanna.page.getByRole("switch", { name: /Lock the session/ }).check();
  await hanna.closeDrawer();
  const isLocked = async () => (await (await fetch(`${house.server.url}/api/v1/sessions/${hanna.code}`)).json()).locked;
  while (!(await isLocked())) await hanna.page.waitForTimeout(50);
  const late = await house.person();
  await late.page.goto(`${late.url}/#${hanna.code}`);
  await late.page.getByRole("heading", { name: "The table is locked." }).waitFor();
  await hanna.press("Menu");
  await hanna.page.getByRole("switch", { name: /Lock the session/ }).uncheck();
  await hanna.press("Leave");
  await hanna.press("Yes");
  await hanna.page.getByRole("heading", { name: "Start a session" }).waitFor();
  await late.press("Try again");
  await late.page.getByLabel("Your name").waitFor();
  await hanna.page.getByRole("link", { name: /Sprint 12/ }).first().click();
  await hanna.isSeated();
});

it("a password opens the door, and a wrong one says so", async () => {
  const answer = await fetch(`${house.server.url}/api/v1/sessions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "Secret", password: "open sesame" }),
  });
  const { code } = await answer.json();
  const jonas = await house.person();
  await jonas.page.goto(`${jonas.url}/#${code}`);
  await jonas.page.getByLabel("Your name").fill("Jonas");
  await jonas.page.getByLabel("Password").fill("wrong");
  await jonas.press("Take a seat");
  await jonas.page.getByText("That is not the password.").waitFor();
  await jonas.page.getByLabel("Password").fill("open sesame");
  await jonas.press("Take a seat");
  await jonas.isSeated();
});
