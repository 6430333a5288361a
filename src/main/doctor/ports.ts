import { connect } from "node:net";
import { parseListen } from "../../keeper/listen-address.ts";
import { holderOf, ListeningSockets } from "../../keeper/listeners.ts";
import { describeProcess } from "../../keeper/procfs.ts";
import { type Finding, ok, problem } from "./finding.ts";
import { answerOf, type Scene } from "./scene.ts";

const ANSWER_MS = 2_000;

/** Whether traffic can come in; `wanted` is what teal.yaml said when Teal started last. */
export async function ports({ keeper }: Scene, wanted: readonly string[]): Promise<readonly Finding[]> {
  const view = answerOf(keeper);
  if (view === null) return wanted.map(free);
  const listeners = view.status.listeners;
  const missing = wanted
    .filter((address) => !listeners.some(({ listen }) => listen === address))
    .map((address) => taken(address, `nothing of Teal's listens on ${address}`));
  return [...missing, ...(await Promise.all(listeners.map(({ address }) => accepts(address))))];
}

/** While Teal is down: whether its address is there to be had. */
function free(address: string): Finding {
  const holder = holderName(address);
  if (holder === null) return ok("ports", `${address} is free`);
  return taken(address, `${address} is taken by ${holder}`);
}

function taken(address: string, message: string): Finding {
  const holder = holderName(address);
  return problem(
    "ports",
    holder === null || message.includes(holder) ? message : `${message}; ${holder} has it`,
    "Stop what listens there, or change proxy.listen in teal.yaml, and start Teal again.",
  );
}

function holderName(address: string): string | null {
  const { port } = parseListen(address);
  if (port === 0) return null;
  const inodes = new ListeningSockets().inodesOn(port, true);
  if (inodes.size === 0) return null;
  const pid = holderOf(inodes);
  return pid === null ? "a process of another user" : describeProcess(pid);
}

function accepts(address: string): Promise<Finding> {
  const { host, port } = parseListen(address);
  const to = { "0.0.0.0": "127.0.0.1", "::": "::1" }[host] ?? host;
  return new Promise((resolve) => {
    const socket = connect(port, to);
    const end = (finding: Finding) => () => {
      socket.destroy();
      resolve(finding);
    };
    const remedy = "See .teal/logs/proxy.log; `teal up --detach` starts what is missing.";
    const silent = problem("ports", `nobody accepts on ${address}`, remedy);
    socket
      .setTimeout(ANSWER_MS, end(silent))
      .once("connect", end(ok("ports", `${address} accepts connections`)))
      .once("error", end(silent));
  });
}
