// People at browsers of their own: one context each, real Chromium, real server.

import assert from "node:assert/strict";
import { after } from "node:test";

import { chromium } from "playwright-core";

import { startServer } from "../../clients/support/server.mjs";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
/** A busy machine is no failure. */
const PATIENCE_MS = 90_000;
export const WIDE = { viewport: { width: 1280, height: 800 } };
export const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
export const SMALL = { viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true };
/** A browser says so when it is kept from the network; that is no defect of the page. */
const EXPECTED = /Failed to load resource|WebSocket connection to|ERR_INTERNET_DISCONNECTED|ERR_CONNECTION|ERR_EMPTY_RESPONSE/;

/** A server and a browser for the tests of the file that calls this. */
export async function open(settings) {
  return receive(await startServer(settings));
}

/** The same for what is started already: anything with a `url` that can be stopped. */
export async function receive(server) {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  const house = new House(server, browser);
  after(async () => {
    await browser.close();
    for (const { front } of house.people) front?.close();
    await server.stop();
    house.check();
  });
  return house;
}

class House {
  people = [];

  constructor(server, browser) {
    this.server = server;
    this.browser = browser;
  }

  /** Somebody with a browser and no memory; `front`: what stands between it and the server. */
  async person(options = {}) {
    const { front, url = this.server.url, ...context } = options;
    const person = new Person(await this.browser.newContext({ reducedMotion: "reduce", ...WIDE, ...context }), url);
    person.front = front;
    this.people.push(person);
    await person.tab();
    return person;
  }

  /** Somebody who opens a session. */
  async host(name = "Hanna", { session = "Sprint 12", deck, ...options } = {}) {
    const person = await this.person(options);
    const { page } = person;
    await page.goto(person.url);
    await page.getByLabel("Your name").fill(name);
    await page.getByLabel(/Session name/).fill(session);
    if (deck) await page.getByText(deck, { exact: true }).click();
    await page.getByRole("button", { name: "Create session" }).click();
    await person.isSeated();
    person.name = name;
    person.code = new URL(page.url()).hash.slice(1);
    return person;
  }

  /** Somebody who follows the link. */
  async guest(code, name, { watches = false, ...options } = {}) {
    const person = await this.person(options);
    await person.enter(code, name, { watches });
    return person;
  }

  /** Nothing that anybody's page did was against its own rules. */
  check() {
    assert.deepEqual(this.people.flatMap((person) => person.problems), []);
  }
}

export class Person {
  problems = [];

  constructor(context, url) {
    this.context = context;
    this.url = url;
    context.setDefaultTimeout(PATIENCE_MS);
  }

  /** Another tab; the last one opened is `page`. */
  async tab() {
    const page = await this.context.newPage();
    this.page = page;
    page.on("pageerror", (error) => this.problems.push(`thrown: ${error.message}`));
    page.on("console", (message) => {
      const text = message.text();
      if (message.type() === "error" && !EXPECTED.test(text)) this.problems.push(text);
    });
    page.on("request", (request) => {
      const { origin } = new URL(request.url());
      if (!["null", new URL(this.url).origin].includes(origin)) this.problems.push(`asked ${origin}`);
    });
    return page;
  }

  async enter(code, name, { watches = false } = {}) {
    const { page } = this;
    this.name = name;
    this.code = code;
    await page.goto(`${this.url}/#${code}`);
    await page.getByLabel("Your name").fill(name).catch(async (error) => {
      throw new Error(`${error.message}\nthe page reads: ${await page.locator("body").innerText()}`);
    });
    if (watches) await page.getByRole("switch", { name: /I only watch/ }).check();
    await page.getByRole("button", { name: "Take a seat" }).click();
    await this.isSeated();
  }

  async isSeated(page = this.page) {
    await page.getByRole("list", { name: "Seats" }).waitFor();
    await page.getByText("Online", { exact: true }).waitFor();
  }

  card(name) {
    return this.page.getByRole("radio", { name, exact: true });
  }

  /** It is the card that is chosen. */
  async holds(name) {
    await this.page.getByRole("radio", { name, exact: true, checked: true }).waitFor();
  }

  /** Plays a card; the server has it when this resolves. */
  async play(name) {
    await this.card(name).click();
    await this.page.getByText("Saved", { exact: true }).waitFor();
  }

  button(name) {
    return this.page.getByRole("button", { name, exact: typeof name === "string" });
  }

  async press(name) {
    await this.button(name).click();
  }

  headline(text) {
    return this.page.getByRole("heading", { name: text, level: 2 });
  }

  async reads(text) {
    await this.headline(text).waitFor();
  }

  seat(name) {
    return this.page.getByRole("list", { name: "Seats" }).getByRole("listitem").filter({ hasText: name });
  }

  /** The seat says, in words. */
  async seatSays(name, state) {
    await this.seat(name).filter({ hasText: state }).waitFor();
  }

  voice(kind) {
    return this.page.locator(`[data-voice=${kind}]`);
  }

  async hears(kind, text) {
    await this.voice(kind).filter({ hasText: text }).waitFor({ state: "attached" });
  }

  drawer() {
    return this.page.getByRole("dialog");
  }

  async closeDrawer() {
    await this.drawer().getByRole("button", { name: "Close", exact: true }).click();
    await this.drawer().waitFor({ state: "detached" });
  }

  /** Presses a button as soon as it is there, be it for a few seconds only; `afterMs`: not at once. After a reload as well. */
  async willPress(name, afterMs = 0) {
    await this.#runs(([name, afterMs]) => {
      const press = () => {
        const button = [...document.querySelectorAll("button")].find((one) => one.textContent === name);
        if (!button) return;
        observer.disconnect();
        setTimeout(() => button.click(), afterMs);
      };
      const observer = new MutationObserver(press);
      observer.observe(document, { childList: true, subtree: true, characterData: true });
    }, [name, afterMs]);
  }

  /** Now, and whenever the page is loaded. */
  async #runs(script, words) {
    await this.page.addInitScript(script, words);
    await this.page.evaluate(script, words);
  }

  /** From now on everything that the page says is remembered, however short it says it; after a reload as well. */
  async listen() {
    await this.#runs(() => {
      const heard = (window.heard = { connection: [], ballot: [], headline: [], notice: [], seats: {} });
      const add = (list, words) => {
        if (words && list.at(-1) !== words) list.push(words);
      };
      const say = (list, selector) => add(list, document.querySelector(selector)?.textContent);
      const hear = () => {
        say(heard.connection, ".link-state");
        say(heard.ballot, ".ballot");
        say(heard.headline, "#head-line");
        say(heard.notice, ".notice p");
        for (const seat of document.querySelectorAll(".seat")) {
          const name = seat.querySelector(".seat-name").textContent;
          add((heard.seats[name] ??= []), `${seat.querySelector(".sr").textContent}; card: ${seat.dataset.side}`);
        }
      };
      window.listener?.disconnect();
      window.listener = new MutationObserver(hear);
      window.listener.observe(document, { childList: true, subtree: true, characterData: true });
      hear();
    });
  }

  /** All that was said since `listen`: of the connection, the own card, the round, and each seat by its name. */
  heard() {
    return this.page.evaluate(() => window.heard);
  }

  /** Waits until the page has said `words` (or what they match) of the connection, or another `subject`, even if it says something else by now. */
  async hasHeard(words, subject = "connection") {
    for (const end = Date.now() + PATIENCE_MS; ; await this.page.waitForTimeout(50)) {
      const { [subject]: said } = await this.heard();
      if (said.some((one) => one === words || (words instanceof RegExp && words.test(one)))) return;
      assert.ok(Date.now() < end, `${this.name} never heard ${words}, only ${said}`);
    }
  }

  /** How far the page could be pushed sideways, in pixels. */
  overhang() {
    return this.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  }
}
