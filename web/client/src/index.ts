export { CardroomError, type LocalCode } from "./error.js";
export type * from "./generated/catalogue.js";
export type { Connection, ConnectionStatus } from "./link.js";
export type { MyVote, Results, TableState } from "./state.js";
export type { Seat, SeatStorage, StorageChoice } from "./storage.js";
export { Table, type Body, type CreateOptions, type EventName, type JoinOptions, type TableOptions } from "./table.js";
