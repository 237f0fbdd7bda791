// What breaks a connection from the client's side.

/** The connection ends without a word to Socket.IO, as if the network did it. */
export function breakOff(engine) {
  // A close() that waits for an upgrade comes in the task in which the last
  // poll is decoded; socket.io-client would then hear its events twice.
  if (engine?.upgrading) engine.transport.onClose();
  else engine?.close();
}
