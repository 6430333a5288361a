import { toTealError } from "../model/error.ts";
import { type HungLook, stateWords } from "../wire/watch-heartbeat.ts";
import { sendSignal } from "./end-group.ts";
import { waitingConnections } from "./listeners.ts";
import type { KeeperParts } from "./parts.ts";
import type { ProxyProcess } from "./proxy-process.ts";
import type { HeldSocket } from "./sockets.ts";
import { watchChild } from "./watch-child.ts";

/** Looks in a row at which connections wait while none of its threads gets anything done. */
const STANDS_STILL_LOOKS = 10;

/**
 * Watches a proxy whose main thread may hang. Its workers serve on without that thread, and its end would cut every
 * connection: so it is only told of, unless the workers stand still as well. That is sure when the process is stopped, or
 * when connections wait for 10 s in which it uses no processor at all. Never rejects: what fails ends the watch, with a
 * line in the log.
 */
export async function watchHungProxy(
  proxy: ProxyProcess,
  parts: KeeperParts,
  sockets: () => readonly HeldSocket[],
  signal: AbortSignal,
): Promise<void> {
  const name = `the proxy (pid ${String(proxy.process.pid)})`;
  try {
    await watch(name, proxy, parts, sockets, signal);
  } catch (thrown) {
    parts.log(`${name} is not watched any more: ${toTealError(thrown).message}`);
  }
}

async function watch(
  name: string,
  proxy: ProxyProcess,
  parts: KeeperParts,
  sockets: () => readonly HeldSocket[],
  signal: AbortSignal,
): Promise<void> {
  const still = new StandsStill();
  let isTold = false;
  await watchChild({
    process: proxy.process,
    program: proxy.program,
    parts,
    signal,
    onHung: (look) => {
      if (proxy.draining) return;
      const waiting = waitingConnections(sockets().map(({ fd }) => fd));
      const silence = `${name} has not answered for ${String(look.silentSeconds)} s: ${stateWords(look.stat.state)}`;
      if (look.stat.state === "T" || still.look(look, waiting)) {
        parts.log(`${silence}; it takes no connections, and is ended with SIGKILL so that another serves`);
        sendSignal(proxy.process.pid, "SIGKILL");
      } else if (!isTold) {
        parts.log(`${silence}; it serves on as split, but can neither switch nor revert; see \`teal doctor\``);
        isTold = true;
      }
    },
    onWell: () => {
      if (isTold) parts.log(`${name} answers again`);
      isTold = false;
      still.reset();
    },
  });
}

/** Whether connections wait and nothing is done about them. */
class StandsStill {
  #cpuTicks = -1;
  #looks = 0;

  look({ stat }: HungLook, waiting: number): boolean {
    const isIdle = stat.cpuTicks === this.#cpuTicks && waiting > 0;
    this.#cpuTicks = stat.cpuTicks;
    this.#looks = isIdle ? this.#looks + 1 : 0;
    return this.#looks >= STANDS_STILL_LOOKS;
  }

  reset(): void {
    this.#looks = 0;
  }
}
