import { chmod, chown, cp, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { stringify } from "yaml";
import type { Summary } from "../../bench/lib/ledger.ts";
import { systemClock } from "../../src/main/clock.ts";
import { toTealError } from "../../src/model/error.ts";
import { TealClient } from "../../src/sdk/client.ts";
import { StatePaths } from "../../src/wire/paths.ts";
import type { OtherPackage } from "../other-package.ts";
import type { Machine, Said } from "./machine.ts";

const EXAMPLE_APP = resolve(import.meta.dirname, "..", "..", "examples", "web-node", "app");
/** As seen on the machine. */
const FOLDER = "/srv/shop";
const PROGRAM = "/opt/package/bin/teal.js";
const URL = "http://127.0.0.1:80";

/** Longer than the 10 s that a person waits at most for a `teal down`. */
export const DRAIN_S = 15;
/** What each answer of the release `slow` takes. */
const SLOW_MS = 11_000;

const CONFIG = {
  version: 1,
  // A port that the user of the unit may not have without a capability.
  proxy: { listen: ["127.0.0.1:80"] },
  services: {
    web: {
      release: { dir: "./app" },
      environment: {
        command: "/opt/node server.js",
        count: 2,
        env: { LEDGER_DIR: `${FOLDER}/ledgers` },
        stop: { timeout: "5s" },
      },
      health: { path: "/health", interval: "100ms", healthyAfter: 2, deadline: "40s" },
      traffic: { drain: `${String(DRAIN_S)}s`, longLived: "5s" },
      deploy: { shift: [{ weight: 50, for: "2s" }], guardrails: { latency: {} }, bake: "1s", keepStandby: "1h" },
    },
  },
};

/** A project of the user `shop` on a machine, with a package of Teal that is installed there for all. */
export class Shop {
  readonly machine: Machine;
  readonly paths: StatePaths;
  readonly client: TealClient;
  readonly #dir: string;

  private constructor(machine: Machine) {
    this.machine = machine;
    this.#dir = join(machine.disk, FOLDER);
    this.paths = new StatePaths(join(this.#dir, ".teal"));
    this.client = new TealClient({ socket: this.paths.apiSocket }, systemClock, "tester");
  }

  static async create(machine: Machine): Promise<Shop> {
    const shop = new Shop(machine);
    await cp(EXAMPLE_APP, join(shop.#dir, "app"), { recursive: true });
    const behaviours = join(shop.#dir, "app", "behaviours.js");
    const bad = await readFile(behaviours, "utf8");
    await writeFile(behaviours, bad.replace("const BAD = {", `$&\n  slow: { latencyMs: ${String(SLOW_MS)} },`));
    await mkdir(join(shop.#dir, "ledgers"));
    await writeFile(join(shop.#dir, "teal.yaml"), stringify(CONFIG));
    for (const path of ["", "ledgers"]) await chown(join(shop.#dir, path), 4_321, 4_321);
    return shop;
  }

  /** As `npm install --global` does: the folder of the one before is gone, under whatever runs from it. */
  async install({ folder }: OtherPackage): Promise<void> {
    const installed = await this.uninstall();
    await cp(folder, installed, { recursive: true, filter: (path) => path !== join(folder, "node_modules") });
    await chmod(installed, 0o755);
    await symlink("/opt/teal/node_modules", join(installed, "node_modules"));
  }

  /** Returns where it was. */
  async uninstall(): Promise<string> {
    const installed = join(this.machine.disk, "opt", "package");
    await rm(installed, { recursive: true, force: true });
    return installed;
  }

  /** What docs/operations.md says: the unit as the command line prints it. It starts at the next boot. */
  async enable(): Promise<string> {
    const { stdout: unit } = await this.#succeed("run", "systemd", "--user", "shop");
    await writeFile(join(this.machine.disk, "etc/systemd/system/teal.service"), unit);
    for (const args of [["daemon-reload"], ["enable", "teal"]]) await this.machine.run("systemctl", ...args);
    return unit;
  }

  /** `teal VERB …`, as the user. */
  teal(...args: readonly string[]): Promise<Said> {
    return this.machine.runAsShop("/opt/node", PROGRAM, ...args, "--config", `${FOLDER}/teal.yaml`);
  }

  async #succeed(how: "run" | "runAsShop", ...args: readonly string[]): Promise<Said> {
    const said = await this.machine[how]("/opt/node", PROGRAM, ...args, "--config", `${FOLDER}/teal.yaml`);
    if (said.code !== 0) throw new Error(`teal ${args.join(" ")}: ${said.stdout}${said.stderr}`);
    return said;
  }

  async deployed(version: string): Promise<void> {
    await this.#succeed("runAsShop", "deploy", "--version", version, "--yes");
  }

  /** A property of the unit: systemctl(1), `show`. */
  async property(name: string): Promise<string> {
    return (await this.machine.run("systemctl", "show", "teal", "--value", "--property", name)).stdout.trim();
  }

  /** Pids, as on the machine, of everything that runs in the unit. */
  async unitPids(): Promise<readonly number[]> {
    const { stdout } = await this.machine.run("cat", "/sys/fs/cgroup/system.slice/teal.service/cgroup.procs");
    return stdout.split("\n").filter(Boolean).map(Number);
  }

  async appPids(): Promise<readonly number[]> {
    const { environments } = await this.client.service("web");
    return environments.flatMap(({ instances }) => instances.flatMap(({ pid }) => pid ?? [])).toSorted((a, b) => a - b);
  }

  /** SIGKILL to the unit's process `name`. */
  async kill(name: "main" | "keeper" | "server" | "proxy"): Promise<void> {
    const found = await this.pidOf(name);
    await this.machine.run("kill", "-KILL", String(found));
  }

  /** Null while there is none. */
  async pidOf(name: "main" | "keeper" | "server" | "proxy"): Promise<number | null> {
    if (name === "main") return Number(await this.property("MainPID")) || null;
    const { stdout } = await this.machine.run("pgrep", "--oldest", "--full", `runtime/[^ ]*/${name}\\.mjs`);
    return Number(stdout) || null;
  }

  /** proc_pid_status(5), by name. */
  async statusOf(pid: number): Promise<Readonly<Record<string, string>>> {
    const { stdout } = await this.machine.run("cat", `/proc/${String(pid)}/status`);
    const lines = stdout.matchAll(/^(\w+):\t(.*)$/gm);
    return Object.fromEntries(Array.from(lines, ([, name = "", value = ""]): [string, string] => [name, value]));
  }

  /** Requests that instances have now. */
  async inFlight(): Promise<number> {
    const socket = "/srv/shop/.teal/teal.sock";
    const { stdout } = await this.machine.run("curl", "--silent", "--unix-socket", socket, "http://teal/metrics");
    const values = [...stdout.matchAll(/^teal_proxy_in_flight\{.*\} (\d+)$/gm)];
    return values.reduce((sum, [, value]) => sum + Number(value), 0);
  }

  /** The status code and version of an answer; null when there is no connection. */
  async get(): Promise<{ status: number; version: string } | null> {
    const { code, stdout } = await this.machine.run("curl", "--silent", "--write-out", "\n%{http_code}", URL);
    if (code !== 0) return null;
    const [body = "", status] = stdout.split("\n");
    const { version } = JSON.parse(body) as { version: string };
    return { status: Number(status), version };
  }

  /** What `ask` answers of the API, once it does; the server may be away. */
  until<T>(what: string, ask: () => Promise<T | null | false>): Promise<T> {
    return this.machine.until(what, async () => {
      try {
        return await ask();
      } catch (thrown) {
        if (toTealError(thrown).code === "server-down") return null;
        throw thrown;
      }
    });
  }

  /** Sends requests while `act` runs; in the end nothing may be lost. */
  async underLoad(act: () => Promise<void>): Promise<Summary> {
    const load = this.machine.start("/opt/node", "/opt/teal/test/machine/load.ts", URL, `${FOLDER}/ledgers`);
    const printed = text(load.stdout);
    await act();
    load.stdin.end();
    return JSON.parse(await printed) as Summary;
  }
}
