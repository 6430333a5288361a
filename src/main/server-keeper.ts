import { extname, join } from "node:path";
import { type Report, toTealError } from "../model/error.ts";
import type { Clock } from "../model/time.ts";
import { KEEPER_PINGS, KEEPER_PROTOCOL, type KeeperProtocol } from "../wire/keeper.ts";
import { KeeperStarter } from "../wire/keeper-starter.ts";
import { type KeeperLaunch, SERVER_VARIABLES, type ServerLaunch } from "../wire/launch.ts";
import { ownNode } from "../wire/node-binary.ts";
import type { StatePaths } from "../wire/paths.ts";
import { ReconnectingPeer } from "../wire/reconnecting.ts";
import { withKeeperLog } from "./keeper-log.ts";
import { readLastStart } from "./last-start.ts";
import { isLeftAlone } from "./left-alone.ts";
import { LostKeeper } from "./lost-keeper.ts";

export interface LostKeeperParts {
  readonly keeper: ReconnectingPeer<KeeperProtocol>;
  readonly launch: ServerLaunch;
  readonly paths: StatePaths;
  readonly clock: Clock;
  readonly log: (text: string) => void;
  readonly report: Report;
}

/** Early, and before anything that may take long: from then on the keeper knows a server that hangs. */
export function connectedKeeper(paths: StatePaths, clock: Clock, report: Report): ReconnectingPeer<KeeperProtocol> {
  const keeper = new ReconnectingPeer({
    path: paths.keeperSocket,
    protocol: KEEPER_PROTOCOL,
    down: "keeper-down",
    clock,
  });
  keeper.onCall("ping", () => ({}));
  keeper.onConnected((peer) => {
    if (peer.version < KEEPER_PINGS) return;
    peer.call("present", { pid: process.pid }).catch((thrown: unknown) => {
      if (!peer.isOver) report(toTealError(thrown), { doing: "presenting itself to the keeper" });
    });
  });
  return keeper;
}

/** From the program that this server runs from. */
export function lostKeeper({ keeper, launch, paths, clock, log, report }: LostKeeperParts): LostKeeper {
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
