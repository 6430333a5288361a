import { isEnded, type Deployment } from "../../model/deployment.ts";
import { TealError } from "../../model/error.ts";
import type { TealEvent } from "../../model/event.ts";
import type { ServiceSpec } from "../../model/service.ts";
import type { ConfigurationSource } from "../../ports/configuration.ts";
import type { ReleaseFolder } from "../../ports/release.ts";
import type { CheckResult, Validator } from "../../ports/validation.ts";
import { sampleSpec } from "../../model/samples.ts";
import type { Store } from "../../store/store.ts";
import { Engine } from "../engine.ts";
import { Hub } from "../hub.ts";
import { Journal } from "../journal.ts";
import { Life } from "./life.ts";
import { ManualClock } from "./manual-clock.ts";
import { MemoryEnvironments } from "./memory-environments.ts";
import { MemoryMetrics } from "./memory-metrics.ts";
import { MemoryTraffic } from "./memory-traffic.ts";

/** A service that is quick to test: one instance, no secrets, a shift of two steps and a short bake. */
export const quickSpec: ServiceSpec = {
  ...sampleSpec,
  environment: { ...sampleSpec.environment, driver: "memory", env: {}, envFiles: [], count: 1 },
  traffic: { ...sampleSpec.traffic, driver: "memory" },
  deploy: {
    ...sampleSpec.deploy,
    shift: [
      { weight: 10, forMs: 1_000 },
      { weight: 50, forMs: 1_000 },
    ],
    bakeMs: 2_000,
  },
  notify: [],
};

const PASSED: CheckResult = { passed: true, summary: "passed", tookMs: 1 };

/** The engine on a given store, with everything outside in memory and time that only tests move. */
export class Rig {
  readonly clock: ManualClock;
  readonly traffic: MemoryTraffic;
  readonly environments: MemoryEnvironments;
  readonly metrics = new MemoryMetrics(() => this.clock.now());
  readonly problems: TealError[] = [];
  /** The fields that each of them was logged with. */
  readonly logged: Readonly<Record<string, unknown>>[] = [];
  readonly events: TealEvent[] = [];
  engine: Engine;
  spec: ServiceSpec = quickSpec;
  /** While set, teal.yaml cannot be read. */
  unreadable: TealError | null = null;
  /** Maintenance pages that are not there; any other says its own path. */
  readonly missingPages = new Set<string>();
  validation: (signal: AbortSignal) => Promise<CheckResult> = () => Promise.resolve(PASSED);
  /** Answers probes. */
  probe: Validator["probe"] = () => Promise.resolve(PASSED);
  readonly folders = new Set<string>();
  /** Of the commit of every release; null: its source is no repository. */
  committedAt: number | null = null;
  /** What the engine's calls go through: it ends with the process. */
  life = new Life();
  /** How many ids were given: a world that another rig goes on with has had these. */
  readonly ids: { given: number };
  readonly #store: Store;

  constructor(store: Store, world: Partial<Pick<Rig, "clock" | "traffic" | "environments" | "ids">> = {}) {
    this.#store = store;
    this.ids = world.ids ?? { given: 0 };
    this.clock = world.clock ?? new ManualClock();
    this.traffic = world.traffic ?? new MemoryTraffic();
    this.traffic.now = () => this.clock.now();
    this.traffic.monotonic = () => this.clock.monotonic();
    this.environments = world.environments ?? new MemoryEnvironments();
    this.engine = this.#make();
  }

  /** A server that is stopped, and a new one that recovers from the record. */
  async restart(): Promise<void> {
    let stopped = false;
    void this.engine.stop().then(() => {
      stopped = true;
    });
    await this.until("the old engine has stopped", () => stopped);
    // Its process ends before the next one owns the store: nothing that was asked of it comes later.
    this.life.end();
    this.life = new Life();
    this.engine = this.#make();
    await this.engine.start({});
  }

  /** What `kill -9` and a new server amount to: nothing that the old engine does from now on has any effect. */
  async crash(): Promise<void> {
    this.life.end();
    this.life = new Life();
    this.engine = this.#make();
    await this.engine.start({});
  }

  deploy(version: string, more: { supersede?: boolean; key?: string } = {}): Promise<Deployment> {
    const asker = { by: "tester", reason: null, idempotencyKey: more.key ?? null };
    return this.engine.control.deploy(
      "web",
      { ...asker, version, supersede: more.supersede ?? false, variables: {} },
      AbortSignal.timeout(5_000),
    );
  }

  /** Moves time on in steps of 100 ms until it is so. Gives up after five minutes of that time. */
  async until<T>(
    what: string,
    look: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  ): Promise<T> {
    for (let ticks = 0; ticks < 3_000; ticks += 1) {
      await turns();
      const found = await look();
      if (found !== null && found !== undefined && found !== false) return found;
      this.clock.advance(100);
    }
    throw new Error(
      `it never came to this: ${what}; problems: ${this.problems.map(({ message }) => message).join("; ")}`,
    );
  }

  ended(id: string): Promise<Deployment> {
    return this.until(`${id} ends`, async () => {
      const deployment = await this.#store.deployment(id);
      return deployment !== null && isEnded(deployment.state) ? deployment : null;
    });
  }

  async deployed(version: string): Promise<Deployment> {
    return this.ended((await this.deploy(version)).id);
  }

  atStep(id: string, step: string): Promise<true> {
    return this.until(`${id} is at ${step}`, async () => {
      const rows = await this.#store.steps(id);
      return rows.some((row) => row.id === step && row.state === "running");
    });
  }

  weights(): Promise<Readonly<Record<string, number>>> {
    return this.traffic.observe("web").then(({ split }) => split?.weights ?? {});
  }

  #make(): Engine {
    const hub = new Hub();
    const store = this.life.through(this.#store);
    hub.subscribe("event", (event) => this.events.push(event), new AbortController().signal);
    return new Engine({
      store,
      reads: store,
      hub,
      journal: new Journal(store, hub, this.clock),
      clock: this.clock,
      ids: { next: (prefix) => `${prefix}_${String(++this.ids.given).padStart(4, "0")}` },
      environments: new Map([["memory", this.life.through(this.environments)]]),
      traffic: new Map([["memory", this.life.through(this.traffic)]]),
      metrics: new Map([["memory", this.life.through(this.metrics)]]),
      releases: this.#folder(),
      validator: this.#validator(),
      configuration: this.#configuration(),
      report: (problem, about) => {
        this.problems.push(problem);
        this.logged.push(about);
      },
    });
  }

  #configuration(): ConfigurationSource {
    return {
      load: () => (this.unreadable === null ? Promise.resolve([this.spec]) : Promise.reject(this.unreadable)),
      page: (path) => {
        if (this.missingPages.has(path)) return Promise.reject(new TealError("config-invalid", `no ${path}`));
        return Promise.resolve({ type: "text/plain", base64: Buffer.from(path).toString("base64") });
      },
      services: () => ["web"],
      resolve: () => Promise.resolve({}),
      text: (value) => Promise.resolve(typeof value === "string" ? value : `resolved ${value.template}`),
    };
  }

  #validator(): Validator {
    return {
      probe: (url, check, mark, signal) => this.probe(url, check, mark, signal),
      http: (_url, _check, signal) => this.validation(signal),
      endpoint: (_url, _path, signal) => this.validation(signal),
      command: (_run, signal) => this.validation(signal),
    };
  }

  #folder(): ReleaseFolder {
    const { folders } = this;
    return {
      digest: (version) => Promise.resolve(`digest of ${version}`),
      committedAt: () => Promise.resolve(this.committedAt),
      folder: (service, id) => `/releases/${service}/${id}`,
      unpack: (service, id, version) => {
        folders.add(`${service}/${id}`);
        return Promise.resolve({ directory: `/releases/${service}/${id}`, digest: `digest of ${version}` });
      },
      exists: (service, id) => Promise.resolve(folders.has(`${service}/${id}`)),
      list: (service) =>
        Promise.resolve(
          [...folders].filter((key) => key.startsWith(`${service}/`)).map((key) => key.slice(service.length + 1)),
        ),
      remove: (service, id) => {
        folders.delete(`${service}/${id}`);
        return Promise.resolve();
      },
    };
  }
}

/** Lets everything that is ready to run do so: promises, and answers that come through the event loop. */
async function turns(): Promise<void> {
  for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setImmediate(resolve));
}
