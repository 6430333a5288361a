import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { type Finding, ok, problem, warning } from "./finding.ts";
import { answerOf, type Scene } from "./scene.ts";

const run = promisify(execFile);
const ASK_MS = 5_000;

/** How systemd, where there is one, would treat Teal's processes. */
export async function unit({ keeper }: Scene, signal: AbortSignal): Promise<Finding> {
  const pid = answerOf(keeper)?.status.pid;
  if (!existsSync("/run/systemd/system")) return ok("systemd", "this machine does not run systemd");
  if (pid === undefined) return ok("systemd", "Teal does not run, and so under no unit");
  const { name, user } = unitOf(readFileSync(`/proc/${String(pid)}/cgroup`, "utf8"));
  if (name === null) return ok("systemd", "the keeper is in no unit");
  if (!name.endsWith(".service")) return sessionFinding(name);
  try {
    const scope = user ? ["--user"] : [];
    const asked = [...scope, "show", "--property=KillMode", "--property=ActiveState", "--", name];
    const { stdout } = await run("systemctl", asked, { timeout: ASK_MS, signal });
    return unitFinding(name, stdout);
  } catch (thrown) {
    signal.throwIfAborted();
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    return warning("systemd", `${name} could not be asked about: ${why}`, `systemctl status ${name}`);
  }
}

/** The unit that a process is in, from proc_pid_cgroup(5), and whether it is one of a user's own manager. */
export function unitOf(cgroup: string): { readonly name: string | null; readonly user: boolean } {
  // Both hierarchies may be there, and systemd use either: cgroups(7), "CGROUPS VERSION 2".
  const paths = [...cgroup.matchAll(/^(?:0:|\d+:name=systemd):(.*)$/gm)].map(([, path = ""]) => path);
  const path = paths.toSorted((a, b) => b.length - a.length)[0] ?? "";
  const units = path.split("/").filter((part) => /\.(?:service|scope)$/.test(part));
  return { name: units.at(-1) ?? null, user: /\/user@\d+\.service\/.+\.(?:service|scope)/.test(path) };
}

export function sessionFinding(name: string): Finding {
  return warning(
    "systemd",
    `Teal runs in ${name}, a session: it does not come back after a reboot, and may end with the session`,
    "`teal systemd` prints a unit for it.",
  );
}

/** What `systemctl show` says of it. */
export function unitFinding(name: string, properties: string): Finding {
  const killMode = /^KillMode=(.*)$/m.exec(properties)?.[1] ?? "";
  const active = /^ActiveState=(.*)$/m.exec(properties)?.[1] ?? "";
  if (killMode !== "process" && killMode !== "none")
    return problem(
      "systemd",
      `${name} has KillMode=${killMode}: its end is the end of every app at once`,
      "Set KillMode=process, as the unit of `teal systemd` has.",
    );
  if (active !== "active") return warning("systemd", `${name} is ${active}`, `systemctl status ${name}`);
  return ok("systemd", `${name} is active, and leaves the apps alone`);
}
