import { TealError } from "../model/error.ts";
import type { Random } from "../model/time.ts";
import { bindSocket } from "./bound-socket.ts";

/** Outside the ephemeral range of Linux (32768-60999), so that no outgoing connection takes one between draw and use. */
const FIRST_PORT = 20_000;
const PORTS = 10_000;
const DRAWS = 200;

/** Draws ports for instances, none twice while it is in use. */
export class Ports {
  readonly #random: Random;
  readonly #taken = new Set<number>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** @throws `port-taken` when none of many draws was free */
  draw(): number {
    for (let draw = 0; draw < DRAWS; draw += 1) {
      const port = FIRST_PORT + Math.floor(this.#random() * PORTS);
      if (this.#taken.has(port) || !isFree(port)) continue;
      this.#taken.add(port);
      return port;
    }
    throw new TealError(
      "port-taken",
      `no free port was found from ${String(FIRST_PORT)} to ${String(FIRST_PORT + PORTS - 1)}`,
      {
        remedy: "End processes that listen in this range, or run fewer instances.",
      },
    );
  }

  /** Records a port that an adopted instance uses. */
  claim(port: number): void {
    this.#taken.add(port);
  }

  release(port: number): void {
    this.#taken.delete(port);
  }
}

/** 0.0.0.0 conflicts with a listener on any IPv4 address, 127.0.0.1 among them. */
function isFree(port: number): boolean {
  try {
    bindSocket("0.0.0.0", port).close();
    return true;
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "EADDRINUSE") return false;
    throw thrown;
  }
}
