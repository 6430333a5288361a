import { existsSync, readdirSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { describeProcess } from "../../keeper/procfs.ts";
import { findTeal, orphansBelow } from "../../keeper/orphans.ts";
import { processesOf, relationOf } from "../running.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";
import { answerOf, type KeeperView, type Scene } from "./scene.ts";

const START = "`teal up --detach`; it takes over what still runs.";

/** The keeper asks whether the event loop turns; one that does nothing else may still answer that. */
function hung(pid: number): string {
  return `The keeper replaces it when it has hung for 10 s. Where pid ${String(pid)} goes on like this, \`kill -9 ${String(pid)}\` does the same; apps and traffic go on meanwhile.`;
}

/** Keeper, server and proxy: whether they are there, and of which version. */
export function processes(scene: Scene): readonly Finding[] {
  const { keeper, api, paths } = scene;
  if ("problem" in keeper) return [problem("keeper", keeper.problem.message, keeper.problem.remedy)];
  if (keeper.answer === null) {
    if (!existsSync(paths.database)) return [warning("keeper", "Teal does not run here, and never has", START)];
    return [problem("keeper", "Teal does not run: no keeper answers", START)];
  }
  const { status } = keeper.answer;
  const { server, proxies, pid } = status;
  const findings = [ok("keeper", `pid ${String(pid)}`)];
  const log = `See ${join(paths.logs, "server.log")}`;
  const restarts = `${log}; the keeper starts it again by itself.`;
  if (server.cannotRun) findings.push(problem("server", "the server cannot run as things are", restarts));
  else if ("problem" in api)
    findings.push(
      problem("server", api.problem.message, server.pid === null ? restarts : `${log}. ${hung(server.pid)}`),
    );
  else findings.push(ok("server", `pid ${String(server.pid)}, answers`));
  const serving = proxies.filter(({ draining }) => !draining);
  if (serving.length === 0) findings.push(problem("proxy", "no proxy serves", `See ${join(paths.logs, "proxy.log")}.`));
  for (const proxy of serving) findings.push(proxyFinding(proxy.pid, scene));
  return [...findings, versions(scene, status)];
}

function proxyFinding(pid: number, { proxies }: Scene): Finding {
  const seen = proxies.find(({ path }) => path.endsWith(`/proxy-${String(pid)}.sock`));
  if (seen === undefined || "problem" in seen.proxy) {
    const why = seen === undefined || !("problem" in seen.proxy) ? "it has no socket" : seen.proxy.problem.message;
    const remedy = `Its workers serve on as split, which nothing can change now; the keeper replaces it when they stand still as well. \`kill -9 ${String(pid)}\` replaces it at once, and cuts its connections.`;
    return problem("proxy", `proxy ${String(pid)} does not answer: ${why}`, remedy);
  }
  return ok("proxy", `pid ${String(pid)}, answers`);
}

function versions({ packageRuntime }: Scene, status: KeeperView["status"]): Finding {
  const relation = relationOf(status, packageRuntime);
  const running = processesOf(status)
    .filter(({ runtime }) => runtime !== packageRuntime)
    .map(({ process, runtime }) => `${process} ${runtime}`);
  if (relation === "same" && running.length === 0) return ok("versions", `all run ${packageRuntime}, as this package`);
  if (relation === "same") return ok("versions", `an old proxy drains beside ${packageRuntime}`);
  if (relation === "node")
    return problem("versions", "the Node that Teal was started with has been removed", "`teal up --detach --yes`.");
  const message = `this package is ${packageRuntime}, and there runs ${running.join(", ")}`;
  if (relation === "older") return warning("versions", message, "Use the newer package.");
  return warning("versions", message, "`teal up --detach --yes` upgrades what runs; traffic goes on.");
}

/** Processes and sockets of this state directory that nobody stands for. */
export async function orphans(scene: Scene): Promise<readonly Finding[]> {
  const view = answerOf(scene.keeper);
  return [...strayProcesses(scene, view), ...(await deadSockets(scene))];
}

function strayProcesses({ keeper, paths }: Scene, view: KeeperView | null): readonly Finding[] {
  // A keeper that runs and does not answer may know them all.
  if ("problem" in keeper) return [];
  const known = new Set([view?.status.server.pid, ...(view?.status.proxies ?? []).map(({ pid }) => pid)]);
  const teal = (["server", "proxy"] as const)
    .flatMap((program) => findTeal(program, paths.root))
    .filter(({ pid }) => !known.has(pid))
    .map(({ pid }) => describeProcess(pid));
  const instances = new Set((view?.instances ?? []).map(({ id }) => id));
  const apps = orphansBelow(paths.run, instances).map(
    ({ instance, session }) => `${instance}: ${describeProcess(session)}`,
  );
  const found = [...teal, ...apps];
  if (found.length === 0) return [ok("orphans", "every process of this state directory is known")];
  if (view === null)
    return [
      warning("orphans", `these go on without a keeper: ${found.join("; ")}`, `${START} \`teal down\` ends them.`),
    ];
  return [
    problem("orphans", `nobody stands for these: ${found.join("; ")}`, "Look at each, and end it with kill PID."),
  ];
}

async function deadSockets({ paths }: Scene): Promise<readonly Finding[]> {
  const folder = dirname(paths.apiSocket);
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".sock")) : [];
  const dead: string[] = [];
  for (const name of names) if (!(await accepts(join(folder, name)))) dead.push(join(folder, name));
  if (dead.length === 0) return [ok("sockets", `${String(names.length)} sockets, somebody behind each`)];
  return [
    warning("sockets", `nobody is behind ${dead.join(", ")}`, "Harmless: the next start of that part replaces it."),
  ];
}

function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (answer: boolean) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(2_000, end(false)).once("connect", end(true)).once("error", end(false));
  });
}
