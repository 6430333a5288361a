import { get } from "node:http";
import type { Kill } from "../../bench/lib/allowance.ts";
import { readLedgerFolder } from "../../bench/lib/app-ledger.ts";
import { LoadGenerator } from "../../bench/lib/load-generator.ts";
import type { DeploymentAnswer } from "../../src/api/answers.ts";
import { systemClock } from "../../src/main/clock.ts";
import { isEnded } from "../../src/model/deployment.ts";
import type { Milliseconds } from "../../src/model/time.ts";
import { connectPeer } from "../../src/wire/connect.ts";
import { isAlive } from "../../src/wire/process-stat.ts";
import { PROXY_PROTOCOL } from "../../src/wire/proxy.ts";
import { goOn, Site, tellIfThere } from "../site.ts";
import type { Evidence, LiveFact, Outage } from "./evidence.ts";
import { EventWatch } from "./event-watch.ts";
import { recordsOf } from "./records.ts";
import { pick, seeded } from "./seeded.ts";
import { SplitWatch } from "./split-watch.ts";
import { pidOf, type Target } from "./target.ts";

export interface CampaignOptions {
  readonly seed: number;
  /** Goes over the quick settings of a {@link Site}. */
  readonly service?: Record<string, unknown>;
  /** Whether requests go through it from the first version on; they do unless told. */
  readonly underLoad?: boolean;
  /** What is done to the machine before Teal is up. */
  readonly prepare?: (site: Site) => void;
}

const SERVICE = "web";
/** Requests a second, on how many connections. */
const RATE = 60;
const CONNECTIONS = 16;
/** Requests that ask who answers when all is at rest. */
const QUESTIONS = 20;
/** Longest that anything of Teal takes to come back: backoffs of 5 s, and a crowded machine. */
const WHOLE_MS = 60_000;

const QUICK = {
  deploy: {
    shift: [
      { weight: 10, for: "300ms" },
      { weight: 50, for: "300ms" },
    ],
    bake: "300ms",
  },
};

/** One Teal under load, with faults, and all that an independent judge of it has to know. */
export class Campaign {
  readonly site: Site;
  readonly load: LoadGenerator;
  readonly random: () => number;
  /** Of every target. */
  kills = 0;
  /** A fault that sets Teal's clock says so here. */
  sameClock = true;
  readonly served: EventWatch;
  readonly #mortal: Kill[] = [];
  readonly #outages: Outage[] = [];
  readonly #acknowledged: string[] = [];
  #unrecorded: readonly string[] = [];
  readonly #watch: SplitWatch;
  readonly #stopped = new Set<number>();
  #version = 0;

  private constructor(site: Site, { seed }: CampaignOptions) {
    this.site = site;
    this.random = seeded(seed);
    this.#watch = new SplitWatch(site.paths.proxySnapshot, SERVICE);
    this.served = new EventWatch(site.client);
    this.load = new LoadGenerator({ url: site.url, rate: RATE, connections: CONNECTIONS, mostMs: 1_800_000 });
  }

  /** With a first version that serves already. */
  static async begin(options: CampaignOptions): Promise<Campaign> {
    const site = await Site.create({ ...QUICK, ...options.service });
    try {
      options.prepare?.(site);
      await site.start();
    } catch (thrown) {
      await site[Symbol.asyncDispose]();
      throw thrown;
    }
    const campaign = new Campaign(site, options);
    try {
      await campaign.deployed();
      if (options.underLoad !== false) campaign.load.start();
      return campaign;
    } catch (thrown) {
      await campaign[Symbol.asyncDispose]();
      throw thrown;
    }
  }

  /** Other settings of the service, from the next deploy on. */
  configure(service: Record<string, unknown>): Promise<void> {
    return this.site.configure({ ...QUICK, ...service });
  }

  /** A deploy of the next version; asked again under its key until the API has answered. */
  async deploy({ supersede = false } = {}): Promise<string> {
    this.#version += 1;
    const version = `v${String(100 + this.#version)}`;
    const key = `campaign-${version}`;
    const { id } = await this.site.until(`${version} is accepted`, () =>
      this.site.client.deploy(SERVICE, { version, supersede }, key),
    );
    this.#acknowledged.push(id);
    return id;
  }

  async deployed(): Promise<DeploymentAnswer> {
    return this.site.ended(await this.deploy());
  }

  /** Whether it came to that; not when the deployment ended before. */
  async atStep(id: string, step: string): Promise<boolean> {
    return this.site
      .until(`${id} is at ${step}`, async () => {
        const { state, steps } = await this.site.client.deployment(id);
        const row = steps.find((candidate) => candidate.id === step);
        if (row !== undefined && row.state !== "pending") return { came: true };
        return isEnded(state) ? { came: false } : null;
      })
      .then(({ came }) => came);
  }

  /** `kill -9`; false when there is no such process at present. */
  async kill(target: Target): Promise<boolean> {
    return this.signal(target, "SIGKILL");
  }

  async signal(target: Target, name: "SIGKILL" | "SIGSTOP"): Promise<boolean> {
    const pid = await this.site.until(`${target} can be told`, async () => ({
      pid: await pidOf(this.site, target, this.random),
    }));
    // One that has just died may still be told of.
    if (pid.pid === null || !tellIfThere(pid.pid, name)) return false;
    if (name === "SIGSTOP") {
      this.#stopped.add(pid.pid);
      return true;
    }
    this.kills += 1;
    this.killed(target);
    return true;
  }

  /** Everything at once, as when a machine loses its power. */
  async killAll(): Promise<void> {
    const { keeper, server, proxies } = await this.site.pids();
    const { environments } = await this.site.service();
    const apps = environments.flatMap(({ instances }) => instances.map(({ pid }) => pid));
    for (const pid of [keeper, ...proxies, server, ...apps]) if (pid !== null) tellIfThere(pid, "SIGKILL");
  }

  /** The whole machine is down from `act` on; its outage ends with the first right answer after that. */
  async outage(act: () => Promise<void>): Promise<void> {
    const from = Date.now();
    await act();
    await this.site.until("the outage is over", async () => /^v\d+$/.test(await versionAt(this.site.url)));
    this.#outages.push({ from, to: Date.now() });
  }

  /** Keeper and proxies in the same instant: neither gets to run between the signals, and to start the other again. */
  async killWatchers(): Promise<void> {
    const { keeper, proxies } = await this.site.until("keeper and proxy can be told", () => this.site.pids());
    for (const signal of ["SIGSTOP", "SIGKILL"] as const)
      for (const pid of [keeper, ...proxies]) tellIfThere(pid, signal);
    this.kills += 1 + proxies.length;
  }

  /** Number of the live split, by the proxy's own record. */
  generationSeen(): number {
    return this.#watch.seen.at(-1)?.split?.generation ?? 0;
  }

  /** Live weights, by the proxy's own record. */
  weightsSeen(): Readonly<Record<string, number>> {
    return this.#watch.seen.at(-1)?.split?.weights ?? {};
  }

  /** How long the newest split that gave `weight` % to somebody was live; null: it still is, or never was. */
  lastedAt(weight: number): Milliseconds | null {
    const { seen } = this.#watch;
    const index = seen.findLastIndex(({ split }) => Object.values(split?.weights ?? {}).includes(weight));
    const [from, to] = [seen[index], seen[index + 1]];
    return from === undefined || to === undefined ? null : to.at - from.at;
  }

  /** What happens in `act` takes something from the proxy's own record: what was seen before is no measure any more. */
  forget(act: () => void): void {
    act();
    this.#watch.seen.length = 0;
  }

  /** How many deployments were acknowledged so far. */
  mark(): number {
    return this.#acknowledged.length;
  }

  /** The database was replaced by a copy of that {@link mark}: what was acknowledged since is no longer on record. */
  unrecord(mark: number): void {
    this.#unrecorded = this.#acknowledged.slice(mark);
  }

  /** Versions that answer now. */
  async answering(): Promise<string[]> {
    const versions = new Set<string>();
    for (let i = 0; i < QUESTIONS; i += 1) {
      versions.add(await versionAt(this.site.url));
    }
    return [...versions];
  }

  /** Notes a kill that was done elsewhere. */
  killed(target: Target): void {
    if (target === "proxy" || target === "app") this.#mortal.push({ target, at: Date.now() });
  }

  /** SIGCONT to all that {@link signal} has stopped. */
  goOn(): void {
    for (const pid of this.#stopped) goOn(pid);
    this.#stopped.clear();
  }

  /** Every process is there, and every environment with traffic has all its instances: the next fault comes alone. */
  async whole(): Promise<void> {
    await this.site.until(
      "all is whole",
      async () => {
        const { server, proxies } = await this.site.pids();
        // The keeper lists one that was killed until it has taken note of that.
        if (server === null || proxies.length === 0 || ![server, ...proxies].every(isAlive)) return false;
        const { environments, traffic } = await this.site.service();
        return environments
          .filter(({ name }) => (traffic[name] ?? 0) > 0)
          .every(({ instances }) => instances.length > 1 && instances.every(({ healthy }) => healthy));
      },
      WHOLE_MS,
    );
  }

  /** So many ms, drawn. */
  async pause(from: number, to: number): Promise<void> {
    await systemClock.sleep(from + Math.floor(this.random() * (to - from)));
  }

  target(from: readonly Target[]): Target {
    return pick(from, this.random);
  }

  /** When all deployments have ended: ends the load, and takes all evidence. */
  async evidence(): Promise<Evidence> {
    await this.whole();
    await this.load.stop();
    const { paths } = this.site;
    this.load.ledger.reconcile(await readLedgerFolder(this.site.ledgers));
    const live = await this.#live();
    const answering = await this.answering();
    await this.#watch.stop();
    const served = await this.served.stop();
    return {
      acknowledged: this.#acknowledged.filter((id) => !this.#unrecorded.includes(id)),
      unrecorded: this.#unrecorded,
      ...recordsOf(paths.database, SERVICE),
      served,
      seen: this.#watch.seen,
      live,
      answering,
      answered: this.load.ledger.summary().versions,
      sameClock: this.sameClock,
      losses: this.load.ledger.losses,
      kills: this.#mortal,
      outages: this.#outages,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.goOn();
    try {
      await this.#watch.stop();
      await this.served.stop();
      await this.load.stop();
    } finally {
      await this.site[Symbol.asyncDispose]();
    }
  }

  async #live(): Promise<LiveFact> {
    const { proxies } = await this.site.pids();
    const peer = await connectPeer(this.site.paths.proxySocket(proxies.at(-1) ?? 0), PROXY_PROTOCOL, {
      down: "data-plane-down",
    });
    try {
      const { split, armed, instances } = await peer.call("observe", { service: SERVICE });
      const names = [...new Set(instances.map(({ environment }) => environment))];
      return {
        weights: split?.weights ?? {},
        armed: armed?.deployment ?? null,
        healthy: names.map((environment) => ({
          environment,
          count: instances.filter((one) => one.environment === environment && one.healthy).length,
        })),
      };
    } finally {
      peer.close();
    }
  }
}

/** On a connection of its own, which is not kept: an idle one would be waited for at the end. */
function versionAt(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false, timeout: 10_000 }, (answer) => {
      const version = answer.headers["x-version"];
      answer.resume().once("end", () => {
        resolve(typeof version === "string" ? version : `status ${String(answer.statusCode)}`);
      });
    }).once("error", reject);
  });
}
