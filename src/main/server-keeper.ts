import { extname, join } from "node:path";
import { type Report, toTealError } from "../model/error.ts";
import type { Clock } from "../model/time.ts";
import { KEEPER_PINGS, KEEPER_PROTOCOL, type KeeperProtocol } from "../wire/keeper.ts";
import { endWhenHung } from "../wire/hung-keeper.ts";
import { KeeperStarter } from "../wire/keeper-starter.ts";
import { type KeeperLaunch, SERVER_VARIABLES, type ServerLaunch } from "../wire/launch.ts";
import { ownNode } from "../wire/node-binary.ts";
import type { StatePaths } from "../wire/paths.ts";
import type { Peer } from "../wire/peer.ts";
import { ReconnectingPeer } from "../wire/reconnecting.ts";
import { withKeeperLog } from "./keeper-log.ts";
import { readLastStart } from "./last-start.ts";
import { isLeftAlone } from "./left-alone.ts";
import { LostKeeper } from "./lost-keeper.ts";

/**
 * Looks without an answer, about a second each, until the keeper is said to hang. A proxy that lives says so before, after 20,
 * and has the sockets; but it may be as dead as the keeper seems.
 */
const HUNG_LOOKS = 25;

type ConnectedKeeperParts = Pick<LostKeeperParts, "paths" | "clock" | "log" | "report">;

interface ConnectedKeeper {
  readonly keeper: ReconnectingPeer<KeeperProtocol>;
  /** The one that was ended last as it hung. */
  readonly hung: () => number | null;
}

export interface LostKeeperParts extends ConnectedKeeper {
  readonly launch: ServerLaunch;
  readonly paths: StatePaths;
  readonly clock: Clock;
  readonly log: (text: string) => void;
  readonly report: Report;
}

/**
 * Early, and before anything that may take long: from then on the keeper knows a server that hangs, and the server ends a
 * keeper that does.
 */
export function connectedKeeper({ paths, clock, log, report }: ConnectedKeeperParts): ConnectedKeeper {
  let hung: number | null = null;
  const present = async (peer: Peer<KeeperProtocol>): Promise<void> => {
    await peer.call("present", { pid: process.pid });
    const { pid } = await peer.call("status", {});
    const onHung = (): void => {
      hung = pid;
    };
    await endWhenHung({ peer, pid, looks: HUNG_LOOKS, clock, log, onHung });
  };
  const keeper = new ReconnectingPeer({
    path: paths.keeperSocket,
    protocol: KEEPER_PROTOCOL,
    down: "keeper-down",
    clock,
  });
  keeper.onCall("ping", () => ({}));
  keeper.onConnected((peer) => {
    if (peer.version < KEEPER_PINGS) return;
    present(peer).catch((thrown: unknown) => {
      if (!peer.isOver) report(toTealError(thrown), { doing: "watching the keeper" });
    });
  });
  return { keeper, hung: () => hung };
}

/** From the program that this server runs from. */
export function lostKeeper({ keeper, hung, launch, paths, clock, log, report }: LostKeeperParts): LostKeeper {
  const { root, runtime, config } = launch;
  const file = join(runtime, `keeper${extname(import.meta.url)}`);
  // What the keeper has added for the server is not for all that the next one starts.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !(name in SERVER_VARIABLES)));
  const starter = new KeeperStarter({
    launch: () => ({ root, config, inherited: [], ...settingsOnRecord(paths, report) }),
    programs: () => [{ runtime, node: ownNode(), file }],
    spawning: (spawn) => withKeeperLog(paths, (fd) => spawn({ stdio: ["ignore", fd, fd], env })),
    clock,
    log,
  });
  return new LostKeeper({
    starter,
    isConnected: () => keeper.connected,
    isLeftAlone: (signal) => isLeftAlone(paths, signal),
    hung,
    clock,
    log,
    report,
  });
}

/** With which the keeper starts a proxy at once. Where they cannot be read, it hears of them as soon as it answers. */
function settingsOnRecord(paths: StatePaths, report: Report): Pick<KeeperLaunch, "settings"> {
  try {
    const settings = readLastStart(paths)?.settings;
    return settings === undefined ? {} : { settings };
  } catch (thrown) {
    report(toTealError(thrown), { doing: "starting a keeper" });
    return {};
  }
}
