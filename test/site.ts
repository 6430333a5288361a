import { type ChildProcess, execFile, spawn } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { stringify } from "yaml";
import type { DeploymentAnswer, ServiceStatusAnswer } from "../src/api/answers.ts";
import { readLedgerFolder } from "../bench/lib/app-ledger.ts";
import type { Summary } from "../bench/lib/ledger.ts";
import type { Load } from "../bench/lib/load-generator.ts";
import { systemClock } from "../src/main/clock.ts";
import { isEnded } from "../src/model/deployment.ts";
import { TealClient } from "../src/sdk/client.ts";
import { KEEPER_PROTOCOL } from "../src/wire/keeper.ts";
import { connectPeer } from "../src/wire/connect.ts";
import { StatePaths } from "../src/wire/paths.ts";

const CHECKOUT = resolve(import.meta.dirname, "..");
const CLI = join(CHECKOUT, "bin", "teal.js");
const EXAMPLE_APP = join(CHECKOUT, "examples", "web-node", "app");

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

type Settings = Record<string, unknown>;

/** What a person's shell has, without colours that a test runner may have forced. */
const PLAIN = { ...process.env, NO_COLOR: "1" };

/** Quick to test: short checks, shifts and bakes; guardrails that decide after 30 requests. */
function quickService(ledgers: string): Settings {
  return {
    release: { dir: "./app" },
    environment: {
      driver: "process",
      command: "node server.js",
      count: 2,
      env: { LEDGER_DIR: ledgers },
      stop: { signal: "SIGTERM", timeout: "5s" },
    },
    health: { path: "/health", interval: "100ms", timeout: "1s", healthyAfter: 2, unhealthyAfter: 2, deadline: "40s" },
    traffic: { driver: "embedded", drain: "5s", longLived: "5s" },
    deploy: {
      shift: [
        { weight: 10, for: "1s" },
        { weight: 50, for: "1s" },
      ],
      // No latency rule unless a test asks: on a crowded machine it would judge the machine.
      guardrails: { minRequests: 30, errorRate: { rollBack: "5%" }, latency: {} },
      bake: "1s",
      keepStandby: "1h",
    },
  };
}

/** Merges maps key by key; anything else replaces. */
function merged(base: Settings, over: Settings): Settings {
  const result: Settings = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const before = result[key];
    const both = isMap(before) && isMap(value);
    result[key] = both ? merged(before, value) : value;
  }
  return result;
}

function isMap(value: unknown): value is Settings {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** One Teal of its own in a temporary folder, run through the command line as a person would, with examples/web-node as app. */
export class Site {
  readonly dir: string;
  readonly paths: StatePaths;
  /** What the instances have taken, beside the state directory: releases, and the state itself, may go. */
  readonly ledgers: string;
  readonly client: TealClient;
  /** Where traffic comes in; known once it is up. */
  url = "";

  /** What `teal` gets beside a person's usual environment. */
  readonly #variables: Record<string, string>;
  readonly #undo: (() => void | Promise<void>)[] = [];
  #boot: readonly string[] = [];

  private constructor(dir: string, variables: Record<string, string>) {
    this.dir = dir;
    this.ledgers = join(dir, "ledgers");
    this.#variables = variables;
    this.paths = new StatePaths(join(dir, ".teal"));
    this.client = new TealClient({ socket: this.paths.apiSocket }, systemClock, "tester");
  }

  /** `service` goes over the quick settings. */
  static async create(service: Settings = {}, variables: Readonly<Record<string, string>> = {}): Promise<Site> {
    const site = new Site(await mkdtemp(join(tmpdir(), "teal-site-")), { ...variables });
    await cp(EXAMPLE_APP, join(site.dir, "app"), { recursive: true });
    await mkdir(site.ledgers);
    // An app may run as another user.
    await chmod(site.ledgers, 0o777);
    await site.configure(service);
    return site;
  }

  static async up(service: Settings = {}, variables: Readonly<Record<string, string>> = {}): Promise<Site> {
    const site = await Site.create(service, variables);
    try {
      await site.start();
    } catch (thrown) {
      await site[Symbol.asyncDispose]();
      throw thrown;
    }
    return site;
  }

  /** Before it is up: environment variables of everything that `teal` starts. */
  set(variables: Readonly<Record<string, string>>): void {
    Object.assign(this.#variables, variables);
  }

  /** Before it is up: a command that every `teal` is run by, and so all that it starts. */
  runThrough(command: readonly string[]): void {
    this.#boot = command;
  }

  /** Done when Teal is down, before the folder is removed. */
  afterwards(undo: () => void | Promise<void>): void {
    this.#undo.push(undo);
  }

  async configure(service: Settings, listen = "127.0.0.1:0"): Promise<void> {
    const web = merged(quickService(this.ledgers), service);
    const config = { version: 1, proxy: { listen: [listen] }, services: { web } };
    await writeFile(join(this.dir, "teal.yaml"), stringify(config));
  }

  async start(): Promise<void> {
    const result = await this.cli("up", "--detach");
    if (result.code !== 0)
      throw new Error(`teal up: ${String(result.code)} ${result.stdout}${result.stderr}${await this.logs()}`);
    const { listeners } = await this.client.status();
    this.url = `http://${listeners[0]?.address ?? ""}`;
  }

  /** Runs `teal VERB …` to its end. */
  cli(...args: readonly string[]): Promise<CliResult> {
    return this.cliOf(CLI, ...args);
  }

  /** The same with the command line of another package. */
  cliOf(program: string, ...args: readonly string[]): Promise<CliResult> {
    const [file = process.execPath, ...rest] = [...this.#boot, process.execPath, program, ...args];
    return new Promise((done) => {
      execFile(
        file,
        rest,
        { cwd: this.dir, timeout: 90_000, env: { ...PLAIN, ...this.#variables } },
        (error, stdout, stderr) => {
          done({ code: error === null ? 0 : typeof error.code === "number" ? error.code : 1, stdout, stderr });
        },
      );
    });
  }

  spawn(...args: readonly string[]): ChildProcess {
    return spawn(process.execPath, [CLI, ...args], { cwd: this.dir, stdio: ["ignore", "pipe", "pipe"] });
  }

  async deploy(version: string): Promise<string> {
    return (await this.client.deploy("web", { version }, crypto.randomUUID())).id;
  }

  /** Deploys and waits for the end, across restarts of the server. */
  async deployed(version: string): Promise<DeploymentAnswer> {
    return this.ended(await this.deploy(version));
  }

  ended(id: string): Promise<DeploymentAnswer> {
    return this.until(`${id} ends`, async () => {
      const deployment = await this.client.deployment(id);
      return isEnded(deployment.state) ? deployment : null;
    });
  }

  atStep(id: string, step: string): Promise<DeploymentAnswer> {
    return this.until(`${id} runs ${step}`, async () => {
      const deployment = await this.client.deployment(id);
      if (isEnded(deployment.state))
        throw new Error(`${id} is ${deployment.state} before ${step}: ${JSON.stringify(deployment.cause)}`);
      const row = deployment.steps.find((candidate) => candidate.id === step);
      return row !== undefined && row.state !== "pending" ? deployment : null;
    });
  }

  service(): Promise<ServiceStatusAnswer> {
    return this.client.service("web");
  }

  /** Asks until there is an answer; a server that is away at the moment is asked again. */
  async until<T>(what: string, ask: () => Promise<T | null | false>, withinMs = 60_000): Promise<T> {
    const end = performance.now() + withinMs;
    let last: unknown = null;
    while (performance.now() < end) {
      try {
        const answer = await ask();
        if (answer !== null && answer !== false) return answer;
      } catch (thrown) {
        if (!isAway(thrown)) throw thrown;
        last = thrown;
      }
      await systemClock.sleep(10);
    }
    throw new Error(
      `it did not come to this in time: ${what} (${String(last)})${await this.logs()}${await this.#events()}`,
    );
  }

  /** Ends the load and holds it against what the apps themselves have taken: nothing may be lost. */
  async settled(load: Load): Promise<Summary> {
    await load.stop();
    load.ledger.reconcile(await readLedgerFolder(this.ledgers));
    return load.ledger.summary();
  }

  async pids(): Promise<{ keeper: number; server: number | null; proxies: readonly number[] }> {
    const keeper = await connectPeer(this.paths.keeperSocket, KEEPER_PROTOCOL, { down: "keeper-down" });
    try {
      const { pid, server, proxies } = await keeper.call("status", {});
      return { keeper: pid, server: server.pid, proxies: proxies.map((proxy) => proxy.pid) };
    } finally {
      keeper.close();
    }
  }

  /** Processes of the app, in order. */
  async appPids(): Promise<readonly number[]> {
    const { environments } = await this.service();
    const pids = environments.flatMap(({ instances }) => instances.flatMap(({ pid }) => pid ?? []));
    return pids.toSorted((a, b) => a - b);
  }

  async log(name: "keeper" | "server" | "proxy"): Promise<string> {
    try {
      return await readFile(join(this.paths.logs, `${name}.log`), "utf8");
    } catch {
      return "(no log)";
    }
  }

  async logs(): Promise<string> {
    const tails = await Promise.all(
      (["keeper", "server", "proxy"] as const).map(
        async (name) => `\n--- ${name}.log\n${(await this.log(name)).slice(-2_000)}`,
      ),
    );
    return tails.join("");
  }

  async #events(): Promise<string> {
    const lines: string[] = [];
    for await (const { type, step, data } of this.client.events({ after: 0, follow: false })) {
      if (type !== "instance") lines.push(`${type} ${step ?? ""} ${JSON.stringify(data)}`.slice(0, 400));
    }
    return `\n--- events\n${lines.slice(-60).join("\n")}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Named, as a test may have removed it.
    const { code, stderr } = await this.cli("down", "--yes", "--config", "teal.yaml");
    if (code !== 0) throw new Error(`teal down: ${stderr}${await this.logs()}`);
    for (const undo of this.#undo) await undo();
    await rm(this.dir, { recursive: true, force: true });
  }
}

/** SIGCONT; a keeper may have ended and replaced what stood still for too long. */
export function goOn(pid: number): void {
  tellIfThere(pid, "SIGCONT");
}

/** A signal; that the process has ended by itself meanwhile is all right. Whether it was there. */
export function tellIfThere(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (thrown) {
    if ((thrown as { code?: string }).code !== "ESRCH") throw thrown;
    return false;
  }
}

function isAway(thrown: unknown): boolean {
  const code = (thrown as { code?: string }).code ?? "";
  return ["server-down", "keeper-down", "internal", "deadline-passed", "store-failed"].includes(code);
}
