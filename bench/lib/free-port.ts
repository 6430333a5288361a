import { bindSocket } from "../../src/keeper/bound-socket.ts";

/** A port of 127.0.0.1 that nobody had a moment ago: for programs that cannot be handed a socket. */
export function freePort(): number {
  const bound = bindSocket("127.0.0.1", 0);
  bound.close();
  return bound.port;
}
