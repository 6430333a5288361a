import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { tellIfThere } from "./site.ts";

const ASK_EVERY_MS = 2;
const LONGEST_MS = 20_000;
/** Of loop devices: Documentation/admin-guide/devices.txt of Linux. */
const LOOP_MAJOR = 7;

/**
 * Pids of the processes that work on the loop device that is mounted on a folder, in whatever namespace: by the device of
 * their working folder. Never anybody on another device: without the mount there is none.
 */
function processesOn(folder: string): readonly number[] {
  const dev = deviceOf(folder);
  if (dev === null || Math.floor(dev / 256) !== LOOP_MAJOR) return [];
  return numbersIn("/proc").filter((pid) => pid !== process.pid && deviceOf(`/proc/${String(pid)}/cwd`) === dev);
}

/** Those that work there are stopped, all their threads, also such as were started meanwhile; returns them. */
export async function stopAll(folder: string): Promise<readonly number[]> {
  const stopped = new Set<number>();
  await until(`everything in ${folder} stands still`, () => {
    const running = processesOn(folder).filter((pid) => !stopped.has(pid));
    for (const pid of running) {
      stopped.add(pid);
      tellIfThere(pid, "SIGSTOP");
    }
    return running.length === 0 && [...stopped].every(standsStill);
  });
  return [...stopped];
}

/** Those that work there end. */
export async function killAll(folder: string): Promise<void> {
  await until(`nobody works in ${folder}`, () => {
    const left = processesOn(folder);
    for (const pid of left) tellIfThere(pid, "SIGKILL");
    return left.length === 0;
  });
}

/** Everything that is mounted on the folder or below it, the newest first. @throws when something keeps it for too long */
export async function unmountAll(folder: string): Promise<void> {
  await until(`${folder} is not mounted`, () => {
    for (const point of mountsIn(folder).toReversed()) spawnSync("umount", [point]);
    return mountsIn(folder).length === 0;
  });
}

/** proc_pid_mountinfo(5): the fifth word of a line, in the order in which they were mounted. */
function mountsIn(folder: string): readonly string[] {
  const real = ifThere(folder, () => realpathSync(folder));
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .flatMap((line) => line.split(" ")[4] ?? [])
    .filter((point) => point === real || point.startsWith(`${real}/`));
}

/** None of its threads runs, or is on its way out of the kernel. */
function standsStill(pid: number): boolean {
  const folder = `/proc/${String(pid)}/task`;
  return ifThere([], () => numbersIn(folder)).every((thread) =>
    ifThere(true, () => /^State:\s[TtZX]/m.test(readFileSync(`${folder}/${String(thread)}/status`, "utf8"))),
  );
}

function deviceOf(path: string): number | null {
  return ifThere(null, () => statSync(path).dev);
}

function numbersIn(folder: string): readonly number[] {
  return readdirSync(folder).flatMap((name) => (/^\d+$/.test(name) ? Number(name) : []));
}

/** `otherwise` for a process that has ended, or is not this user's to look at. */
function ifThere<T>(otherwise: T, ask: () => T): T {
  try {
    return ask();
  } catch (thrown) {
    if (["ENOENT", "ESRCH", "EACCES"].includes((thrown as { code?: string }).code ?? "")) return otherwise;
    throw thrown;
  }
}

async function until(what: string, ask: () => boolean): Promise<void> {
  for (const end = performance.now() + LONGEST_MS; !ask(); await sleep(ASK_EVERY_MS))
    if (performance.now() > end) throw new Error(`it did not come to this in time: ${what}`);
}
