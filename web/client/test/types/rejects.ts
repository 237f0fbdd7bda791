// What must not compile: a line without an error under an expectation is one.

import { CardroomError, Table, type Answers, type Requests, type TableState } from "cardroom-client";

const table = new Table();

// @ts-expect-error the host needs a name
void table.create({ name: "Planning" });
// @ts-expect-error a session is named by its id or its code
void table.join({ name: "Ann" });
// @ts-expect-error cards are text
void table.vote(5);
// @ts-expect-error confidence is 1 to 5
void table.vote("5", 6);
// @ts-expect-error no such emoji
void table.react("🐌");
// @ts-expect-error no such format
void table.importStories({ format: "xml", data: "" });
// @ts-expect-error no such setting
void table.configure({ autoRevael: true });
// @ts-expect-error one of two words
void table.configure({ permissions: { reveal: "nobody" } });
// @ts-expect-error an estimate is text or taken back
void table.finalizeStory("s1", 5);
// @ts-expect-error seconds are a number
void table.extendTimer("30");
// @ts-expect-error no such event
table.on("player:winked", () => {});
table.on("cards:revealed", (event) => {
  // @ts-expect-error no such field
  void event.cards;
  const average: number | null = event.consensus.averageValue;
  // @ts-expect-error it may be null
  const sum: number = event.consensus.averageValue;
  void [average, sum];
});

declare const state: TableState;
// @ts-expect-error what is shown is not changed
state.round = state.round;
// @ts-expect-error neither are its parts
state.players.push(state.me);
// @ts-expect-error before the reveal there are no results
void state.results.votes;
// @ts-expect-error no such role
void (state.me.role === "admin");

declare const error: CardroomError;
// @ts-expect-error no such code
void (error.code === "NO_SUCH_CODE");
if (error.code === "STALE_ROUND") void error.details?.roundId;

// @ts-expect-error a vote names its story
export const vote: Requests["vote:submit"] = { value: "5" };
// @ts-expect-error the answer to a vote has no stories
export const stories = (answer: Answers["vote:submit"]) => answer.storyIds;
