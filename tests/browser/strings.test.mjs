// Names are text, whatever is in them.

import assert from "node:assert/strict";
import { it } from "node:test";

import { open } from "./support/people.mjs";

const house = await open();
const MARKUP = "<img src=x onerror=alert(1)>";
const RIGHT_TO_LEFT = "\u05D0\u05DC\u05D9\u05E2\u05D6\u05E8";

it("markup stays text, and no name turns the line around", async () => {
  const hanna = await house.host(MARKUP, { session: "<script>alert(2)</script>" });
  let hasAlerted = false;
  hanna.page.on("dialog", (dialog) => {
    hasAlerted = true;
    void dialog.dismiss();
  });
  const eli = await house.guest(hanna.code, `${RIGHT_TO_LEFT} (admin)`);
  const sly = await house.guest(hanna.code, "Ann\u202Egnp.exe");
  await hanna.seat(MARKUP).waitFor();
  await hanna.page.getByRole("heading", { name: "<script>alert(2)</script>" }).waitFor();
  await hanna.seat("Anngnp.exe").waitFor();
  for (const seat of await hanna.page.locator(".seat-name").all()) {
    assert.equal(await seat.evaluate((one) => one.tagName), "BDI");
  }
  await hanna.press("Edit the story");
  await hanna.page.getByLabel("Title").fill(`${MARKUP} ${RIGHT_TO_LEFT}`);
  await hanna.page.getByLabel("Description").fill("<b>bold</b>\n<svg onload=alert(3)>");
  await hanna.press("Save");
  await eli.reads(/onerror/);
  await eli.press("Details");
  await eli.page.getByText("<b>bold</b>").waitFor();
  await eli.play("5 points");
  await sly.play("8 points");
  await hanna.play("21 points");
  await hanna.press("Reveal");
  await sly.reads(/Talk/);
  await hanna.press("History");
  await hanna.drawer().getByText(MARKUP).first().waitFor();
  assert.equal(await hanna.page.locator("img, script:not([src]), b").count(), 0);
  assert.equal(hasAlerted, false);
});

it("only links of the web become links", async () => {
  const hanna = await house.host("Hanna");
  await hanna.press("Edit the story");
  await hanna.page.getByLabel("Title").fill("Story");
  await hanna.page.getByLabel("Link", { exact: true }).fill("javascript:alert(1)");
  await hanna.press("Save");
  assert.equal(await hanna.page.getByLabel("Link", { exact: true }).evaluate((field) => field.validity.valid), false);
  await hanna.page.getByLabel("Link", { exact: true }).fill("https://example.org/a?b=c");
  await hanna.press("Save");
  await hanna.page.getByRole("link", { name: /Open the link/ }).waitFor();
});
