import { type ChildProcess, type ChildProcessByStdio, execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Readable, Writable } from "node:stream";
import { systemClock } from "../../src/main/clock.ts";
import { requires, type Skippable } from "../requires.ts";

const CHECKOUT = resolve(import.meta.dirname, "..", "..");
const BOOT = join(import.meta.dirname, "boot.sh");
const SYSTEMD = "/usr/lib/systemd/systemd";
const NAMESPACES = ["--mount", "--propagation", "private", "--pid", "--fork", "--net", "--ipc", "--uts"] as const;
/** Whoever starts a machine ends it by its end, however that comes about. */
const TOGETHER = ["--pdeathsig", "KILL", "unshare", ...NAMESPACES, "--kill-child"] as const;
const LONGEST_MS = 60_000;

/** Names and numbers of users.conf(5) in /etc/passwd; `shop` is whom Teal runs as. */
const USERS = { root: 0, messagebus: 101, shop: 4_321, nobody: 65_534 } as const;
const GROUPS = { root: 0, tty: 5, utmp: 43, "systemd-journal": 102, messagebus: 101, shop: 4_321, nogroup: 65_534 };

export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** For a test that boots a machine: ends it as not runnable where its namespaces cannot be made. */
export function requiresMachine(test: Skippable): void {
  for (const program of ["systemctl", "dbus-daemon", "nsenter", "setpriv"]) requires(test, program);
  if (!existsSync(SYSTEMD)) test.skip(`${SYSTEMD} is not installed; as root, scripts/setup installs it`);
  const mount = "mount -t cgroup2 cgroup2 /mnt && mkdir /mnt/teal-probe && rmdir /mnt/teal-probe";
  const probe = spawnSync("unshare", [...NAMESPACES, "sh", "-c", mount], { timeout: LONGEST_MS });
  if (probe.status !== 0) test.skip(`this user may not make namespaces and control groups: ${String(probe.stderr)}`);
}

/**
 * A machine with a systemd of its own, which has nothing of the real one but its programs, read-only (boot.sh). What it
 * writes is in `disk`, and is still there when it is booted again; its network has a loopback device alone.
 */
export class Machine {
  /** Its root directory, as seen from outside. */
  readonly disk: string;
  readonly #folder: string;
  readonly #group: string;
  #process: ChildProcess | null = null;
  #first = 0;
  #console = "";

  private constructor(folder: string) {
    this.#folder = folder;
    this.disk = join(folder, "disk");
    this.#group = `teal-machine-${folder.slice(-6)}`;
  }

  static async create(): Promise<Machine> {
    const machine = new Machine(await mkdtemp(join(tmpdir(), "teal-machine-")));
    await chmod(machine.#folder, 0o755);
    const folders = [
      "usr",
      "opt/teal",
      "proc",
      "sys",
      "dev",
      "run",
      "tmp",
      "mnt",
      "root",
      "home/shop",
      "srv",
      "var/tmp",
    ];
    for (const folder of [...folders, "etc/systemd/system"])
      await mkdir(join(machine.disk, folder), { recursive: true });
    for (const name of ["bin", "sbin", "lib", "lib64"]) await symlink(`usr/${name}`, join(machine.disk, name));
    for (const name of ["os-release", "ld.so.cache"]) await copyFile(`/etc/${name}`, join(machine.disk, "etc", name));
    const passwd = Object.entries(USERS).map(([name, id]) => `${name}:x:${String(id)}:${String(id)}::/:/bin/sh\n`);
    const group = Object.entries(GROUPS).map(([name, id]) => `${name}:x:${String(id)}:\n`);
    await writeFile(join(machine.disk, "etc/passwd"), passwd.join(""));
    await writeFile(join(machine.disk, "etc/group"), group.join(""));
    await writeFile(join(machine.disk, "etc/machine-id"), `${"1".repeat(32)}\n`);
    for (const empty of ["etc/empty", "opt/node"]) await writeFile(join(machine.disk, empty), "");
    // Nobody logs in.
    for (const unit of ["getty.target", "systemd-logind.service"])
      await symlink("/dev/null", join(machine.disk, "etc/systemd/system", unit));
    return machine;
  }

  /** Returns when everything that starts at boot has been started. */
  async boot(): Promise<void> {
    const args = [...TOGETHER, BOOT, this.disk, CHECKOUT, process.execPath, this.#group];
    const child = spawn("setpriv", args, { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => (this.#console += chunk.toString()));
    this.#process = child;
    this.#first = await this.until("systemd is the first process", () => {
      if (child.exitCode !== null) throw new Error(`the machine did not boot: ${this.#console}`);
      const pid = String(child.pid);
      const first = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8"));
      return first > 0 && readFileSync(`/proc/${String(first)}/comm`, "utf8") === "systemd\n" && first;
    });
    await this.until("it has booted", async () => {
      const { stdout } = await this.run("systemctl", "is-system-running", "--wait");
      return ["running", "degraded"].includes(stdout.trim());
    });
  }

  /** Runs a program as root, in all of its namespaces. */
  run(...command: readonly string[]): Promise<Said> {
    return this.#enter(command);
  }

  /** The same, where it is to succeed. @throws with what it and the units said */
  async succeed(...command: readonly string[]): Promise<Said> {
    const said = await this.run(...command);
    if (said.code === 0) return said;
    throw new Error(`${command.join(" ")}: ${said.stdout}${said.stderr}\n${await this.#journal()}`);
  }

  /** The same as the user that Teal runs as. */
  runAsShop(...command: readonly string[]): Promise<Said> {
    const id = String(USERS.shop);
    return this.#enter(["setpriv", "--reuid", id, "--regid", id, "--clear-groups", ...command]);
  }

  /** A program that goes on; ends with the machine. */
  start(...command: readonly string[]): ChildProcessByStdio<Writable, Readable, null> {
    const [file, args] = this.#entering(command);
    return spawn(file, args, { stdio: ["pipe", "pipe", "inherit"], env: {} });
  }

  /** As if the plug was pulled: every process ends in the same instant. */
  async cutPower(): Promise<void> {
    const child = this.#process;
    if (child === null) return;
    if (child.exitCode === null && child.signalCode === null) {
      const exit = once(child, "exit");
      child.kill("SIGKILL");
      await exit;
    }
    await this.#off();
  }

  /** An orderly shutdown. */
  async powerOff(): Promise<void> {
    const child = this.#process;
    if (child === null) throw new Error("it is off");
    const exit = once(child, "exit", { signal: AbortSignal.timeout(LONGEST_MS) });
    await this.run("systemctl", "poweroff");
    await exit;
    await this.#off();
  }

  async until<T>(what: string, ask: () => T | null | false | Promise<T | null | false>): Promise<T> {
    const end = performance.now() + LONGEST_MS;
    while (performance.now() < end) {
      const answer = await ask();
      if (answer !== null && answer !== false) return answer;
      await systemClock.sleep(20);
    }
    throw new Error(`it did not come to this in time: ${what}\n${this.#console}\n${await this.#journal()}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cutPower();
    await rm(this.#folder, { recursive: true });
  }

  async #journal(): Promise<string> {
    return this.#process === null ? "" : (await this.run("journalctl", "--no-pager", "--lines", "60")).stdout;
  }

  #entering(command: readonly string[]): [string, string[]] {
    const namespaces = ["--mount", "--pid", "--net", "--ipc", "--uts", "--cgroup", "--root", "--wd"];
    return ["/usr/bin/nsenter", ["--target", String(this.#first), ...namespaces, ...command]];
  }

  #enter(command: readonly string[]): Promise<Said> {
    const [file, args] = this.#entering(command);
    const env = { PATH: "/usr/sbin:/usr/bin", HOME: "/root", NO_COLOR: "1" };
    return new Promise((done) => {
      execFile(file, args, { timeout: 110_000, env }, (error, stdout, stderr) => {
        done({ code: error === null ? 0 : typeof error.code === "number" ? error.code : 1, stdout, stderr });
      });
    });
  }

  /** The kernel ends what is left in its namespaces; then its control groups can go. */
  async #off(): Promise<void> {
    this.#process = null;
    const mnt = join(this.disk, "mnt");
    const remove = `mount -t cgroup2 cgroup2 "$0" && find "$0/$1" -depth -type d -exec rmdir {} +`;
    const args = ["--mount", "--propagation", "private", "sh", "-c", remove, mnt, this.#group];
    await this.until("its control groups are empty", () => {
      return spawnSync("unshare", args, { timeout: LONGEST_MS }).status === 0;
    });
  }
}
