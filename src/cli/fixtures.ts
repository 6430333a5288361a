import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_PROXY_SETTINGS } from "../model/proxy-settings.ts";
import type { TealConfig } from "../config/config.ts";
import { TealError } from "../model/error.ts";
import type { DeploymentAnswer, ServiceStatusAnswer, StatusAnswer } from "../sdk/client.ts";
import { TealClient } from "../sdk/client.ts";
import { CannedServer } from "../sdk/fixtures.ts";
import { systemClock } from "../main/clock.ts";
import type { Io, Sink, StopSignal } from "./io.ts";
import type { Parts } from "./parts.ts";
import { runCli } from "./run.ts";

/** As much of a service as the command line looks at. */
const WEB = { traffic: { drainMs: 30_000 }, environment: { stop: { timeoutMs: 30_000 } } };

export interface Ran {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly terminal?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly columns?: number;
  readonly pid?: number;
}

/** The command line against a canned server, in a folder with a teal.yaml. */
export class CliRig {
  readonly folder: string;
  readonly server: CannedServer;
  /** Takes the place of what main/ does. */
  parts: Parts;
  #stdout: Captured | null = null;
  readonly #listeners = new Set<(signal: StopSignal) => void>();

  private constructor(folder: string, server: CannedServer) {
    this.folder = folder;
    this.server = server;
    this.parts = {
      version: "1.2.3",
      program: { node: "/usr/bin/node", script: "/usr/lib/teal.js", user: "ada" },
      loadConfig: () => Promise.resolve(config({ web: WEB }, ["DB_URL", "UNSET"])),
      hasStarted: () => Promise.resolve(false),
      cautions: () => Promise.resolve([]),
      client: () => Promise.resolve(new TealClient({ socket: server.socket }, systemClock)),
      remote: (url, token) => Promise.resolve(new TealClient({ url, token }, systemClock)),
      simulate: async (wish) => (await import("../main/simulate.ts")).simulated(wish),
      replay: async (traffic, wish) => (await import("../main/simulate.ts")).replayed(traffic, wish),
      up: () => Promise.reject(new TealError("internal", "no up here")),
      down: () => Promise.reject(new TealError("internal", "no down here")),
      directAbort: () => Promise.reject(new TealError("internal", "no proxy here")),
      doctor: () => Promise.reject(new TealError("internal", "no machine here")),
      ended: () => Promise.resolve("stopped"),
    };
  }

  static async start(): Promise<CliRig> {
    const folder = await mkdtemp(join(tmpdir(), "teal-cli-"));
    await writeFile(join(folder, "teal.yaml"), "version: 1\n");
    const rig = new CliRig(folder, await CannedServer.start(folder));
    rig.server.json("GET /v1/status", status());
    return rig;
  }

  async run(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
    const { columns = 80, terminal = false, env = {}, pid = 4_711 } = options;
    const stdout = new Captured(terminal, columns);
    this.#stdout = stdout;
    const stderr = new Captured(terminal, columns);
    const io: Io = {
      env,
      cwd: this.folder,
      stdout,
      stderr,
      pid,
      interactive: false,
      clock: systemClock,
      uniqueKey: () => "key-1",
      onStop: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
    };
    const exit = await runCli(argv, io, this.parts);
    return { exit, stdout: stdout.text, stderr: stderr.text };
  }

  /** What the newest run has printed so far. */
  stdout(): string {
    return this.#stdout?.text ?? "";
  }

  /** Whether somebody would hear a signal now. */
  get listens(): boolean {
    return this.#listeners.size > 0;
  }

  signal(signal: StopSignal): void {
    for (const listener of this.#listeners) listener(signal);
  }

  async close(): Promise<void> {
    await this.server.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

class Captured implements Sink {
  readonly terminal: boolean;
  readonly columns: number;
  readonly rows = 24;
  text = "";

  constructor(terminal: boolean, columns: number) {
    this.terminal = terminal;
    this.columns = columns;
  }

  write(text: string): void {
    this.text += text;
  }
}

export function config(services: Readonly<Record<string, unknown>>, references: readonly string[] = []): TealConfig {
  return {
    file: "/x/teal.yaml",
    directory: "/x",
    proxy: { listen: [], settings: DEFAULT_PROXY_SETTINGS },
    server: { listen: "127.0.0.1:8325", hosts: [] },
    services: services as TealConfig["services"],
    references,
  };
}

export function serviceStatus(service = "web", more: Partial<ServiceStatusAnswer> = {}): ServiceStatusAnswer {
  const instance = (
    name: string,
    ordinal: number,
  ): ServiceStatusAnswer["environments"][number]["instances"][number] => ({
    id: `${service}/${name}/v1/${String(ordinal)}`,
    address: `127.0.0.1:2000${String(ordinal)}`,
    pid: 100 + ordinal,
    healthy: true,
  });
  return {
    service,
    active: "blue",
    standby: "green",
    traffic: { blue: 100, green: 0 },
    desired: { blue: 100, green: 0 },
    observed: { blue: 100, green: 0 },
    generation: 3,
    fence: 2,
    rollback: { safe: "safe", reason: "green is warm", seconds: 1 },
    environments: [
      { name: "blue", version: "v1", state: "ready", instances: [instance("blue", 0), instance("blue", 1)] },
      { name: "green", version: null, state: "absent", instances: [] },
    ],
    deployment: null,
    retirement: null,
    dora: null,
    maintenance: null,
    ...more,
  };
}

export function status(...services: readonly ServiceStatusAnswer[]): StatusAnswer {
  const listeners = [{ listen: "127.0.0.1:8080", address: "127.0.0.1:8080" }];
  return { version: "1.2.3", listeners, services: services.length === 0 ? [serviceStatus()] : [...services] };
}

export function deployment(state: DeploymentAnswer["state"], more: Partial<DeploymentAnswer> = {}): DeploymentAnswer {
  const step = (id: string, title: string): DeploymentAnswer["steps"][number] => ({
    id,
    uses: "start@1",
    title,
    state: state === "completed" ? "done" : "pending",
    startedAt: null,
    endedAt: null,
  });
  return {
    id: "dep_1",
    service: "web",
    goal: "deploy",
    state,
    from: "blue",
    to: "green",
    version: "v2",
    release: "v2",
    cause: null,
    by: "ann",
    reason: null,
    createdAt: 1_700_000_000_000,
    startedAt: 1_700_000_000_000,
    endedAt: null,
    steps: [step("start", "Start 2 instances on green"), step("shift-100", "Give green 100 % of the traffic")],
    receipts: [],
    ...more,
  };
}

export function receipt(
  more: Partial<DeploymentAnswer["receipts"][number]> = {},
): DeploymentAnswer["receipts"][number] {
  return {
    service: "web",
    deployment: "dep_1",
    generation: 4,
    from: { blue: 100, green: 0 },
    to: { blue: 0, green: 100 },
    at: 1_700_000_000_000,
    inFlight: 12,
    drained: 12,
    held: 0,
    retried: 0,
    rescued: 0,
    cut: 0,
    failed: 0,
    kernelRefused: 0,
    final: true,
    ...more,
  };
}
