import type { KeeperProtocol } from "../src/wire/keeper.ts";
import type { Handlers } from "../src/wire/peer.ts";
import type { Result } from "../src/wire/protocol.ts";

/** A status of a keeper that runs nothing yet. */
export const EMPTY_STATUS: Result<KeeperProtocol, "status"> = {
  pid: process.pid,
  runtime: "",
  listeners: [],
  proxies: [],
  server: { pid: null, restarts: 0, cannotRun: false },
};

/** The handlers of a stand-in for the keeper: it is there, and does nothing but what the test says. */
export function standInKeeper(does: Partial<Handlers<KeeperProtocol>>): Handlers<KeeperProtocol> {
  const unknown = (): never => {
    throw new Error("the stand-in does not do this");
  };
  return {
    status: () => EMPTY_STATUS,
    "listeners.ensure": unknown,
    "instances.start": unknown,
    "instances.stop": unknown,
    "instances.list": unknown,
    "proxy.replace": unknown,
    "server.replace": unknown,
    "keeper.replace": unknown,
    present: () => ({}),
    ping: () => ({}),
    down: unknown,
    ...does,
  };
}
