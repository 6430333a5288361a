import type { Kill } from "../../bench/lib/allowance.ts";
import { readLedgerFolder } from "../../bench/lib/app-ledger.ts";
import { LoadGenerator } from "../../bench/lib/load-generator.ts";
import type { DeploymentAnswer } from "../../src/api/answers.ts";
import { systemClock } from "../../src/main/clock.ts";
import { isEnded } from "../../src/model/deployment.ts";
import type { Milliseconds } from "../../src/model/time.ts";
import { isAlive } from "../../src/wire/process-stat.ts";
import { Site } from "../site.ts";
import type { AbortFact, Ending, Evidence, Outage, SickFact } from "./evidence.ts";
import { EventWatch } from "./event-watch.ts";
import { liveFact, versionAt } from "./live.ts";
import { recordsOf } from "./records.ts";
import { pick, seeded } from "./seeded.ts";
import { SplitWatch } from "./split-watch.ts";
import { isCalled } from "./strike.ts";
import { Strikes } from "./strikes.ts";
import type { Target } from "./target.ts";

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
    validate: { endpoint: "/deployment/validate" },
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
  /** A fault that sets Teal's clock says so here. */
  sameClock = true;
  readonly served: EventWatch;
  readonly sick: SickFact[] = [];
  readonly #aborts: AbortFact[] = [];
  readonly strikes: Strikes;
  readonly #mortal: Kill[] = [];
  readonly #outages: Outage[] = [];
  readonly #acknowledged: string[] = [];
  readonly #endings = new Map<string, readonly Ending[]>();
  #unrecorded: readonly string[] = [];
  readonly #watch: SplitWatch;
  #version = 0;

  private constructor(site: Site, { seed }: CampaignOptions) {
    this.site = site;
    this.random = seeded(seed);
    this.strikes = new Strikes(site, this.random);
    this.#watch = new SplitWatch(site.paths, SERVICE);
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

  /** A deploy of that version, or of the next good one; asked again under its key until the API has answered. */
  async deploy({ supersede = false, version = this.#next() } = {}): Promise<string> {
    const key = `campaign-${version}`;
    const { id } = await this.site.until(`${version} is accepted`, () =>
      this.site.client.deploy(SERVICE, { version, supersede }, key),
    );
    this.#acknowledged.push(id);
    return id;
  }

  #next(): string {
    this.#version += 1;
    return `v${String(100 + this.#version)}`;
  }

  async deployed(): Promise<DeploymentAnswer> {
    return this.site.ended(await this.deploy());
  }

  /** Whether it came to that; not when the deployment ended before. */
  async atStep(id: string, step: string): Promise<boolean> {
    return this.site
      .until(`${id} is at ${step}`, async () => {
        const { state, steps } = await this.site.client.deployment(id);
        const row = steps.find((candidate) => isCalled(candidate.id, step));
        if (row !== undefined && row.state !== "pending") return { came: true };
        return isEnded(state) ? { came: false } : null;
      })
      .then(({ came }) => came);
  }

  /**
   * A deploy of the next version, and the act the moment that `step` begins, which may be before the API has answered.
   * `acted`: what it returned; null when it did not come to that step.
   */
  async deployTo<T>(step: string, act: () => Promise<T>): Promise<{ readonly id: string; readonly acted: T | null }> {
    if (step === "retire") await this.#fillStandby();
    const known = new Set(this.#acknowledged);
    const heard = this.served.next(step, (id) => !known.has(id)).then(() => true);
    const deploying = this.deploy();
    const asked = deploying.then((id) => this.atStep(id, step));
    // Whoever was first has told; the other one's failure is nobody's.
    asked.catch(() => undefined);
    const came = await Promise.race([heard, asked]);
    const acted = came ? await act() : null;
    return { id: await deploying, acted };
  }

  /** `kill -9`; false when there is no such process at present. */
  async kill(target: Target, border: string | null = null): Promise<boolean> {
    const isDead = await this.strikes.strike(target, "kill", border);
    if (isDead) this.killed(target);
    return isDead;
  }

  /** It stands still until {@link goOn}. */
  stop(target: Target, border: string | null = null): Promise<boolean> {
    return this.strikes.strike(target, "stop", border);
  }

  /** The whole machine is down from `act` on; its outage ends with the first right answer after that. */
  async outage(border: string | null, act: () => Promise<void>): Promise<void> {
    const from = Date.now();
    this.strikes.note({ kind: "cut", target: "machine", border });
    await act();
    await this.site.until("the outage is over", async () => /^v\d+$/.test(await versionAt(this.site.url)));
    this.#outages.push({ from, to: Date.now() });
  }

  /** A person's abort of it has just been answered. */
  aborted(deployment: string): void {
    this.#aborts.push({ deployment, at: Date.now() });
  }

  /** What it may end as beside `completed`: a good release is taken back for no other reason. */
  may(id: string, ...endings: readonly Ending[]): void {
    this.#endings.set(id, [...(this.#endings.get(id) ?? []), ...endings]);
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
    const has = ({ split }: (typeof seen)[number]): boolean => Object.values(split?.weights ?? {}).includes(weight);
    const last = seen.findLastIndex(has);
    // The same weights under a newer number, as when an instance moves, are the same split.
    const first = seen.findLastIndex((one, index) => index < last && !has(one)) + 1;
    const [from, to] = [seen[first], seen[last + 1]];
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
    if (target === "proxy") this.#mortal.push({ target, at: Date.now() });
    if (target === "app" || target === "candidate") this.#mortal.push({ target: "app", at: Date.now() });
  }

  /** SIGCONT to all that {@link stop} has stopped. */
  goOn(): void {
    this.strikes.goOn();
  }

  /** Every process is there, and every environment with traffic has all its instances: the next fault comes alone. */
  async whole(): Promise<void> {
    await this.site.until(
      "all is whole",
      async () => {
        const watchers = await this.site.pids();
        const { keeper, server, proxies } = watchers;
        const isWell = (pid: number): boolean => isAlive(pid) && !this.strikes.isDoomed(pid);
        // The keeper lists one that was killed until it has taken note of that.
        if (server === null || proxies.length === 0 || ![keeper, server, ...proxies].every(isWell)) return false;
        this.strikes.know(watchers);
        const { environments, traffic } = await this.site.service();
        return environments
          .filter(({ name }) => (traffic[name] ?? 0) > 0)
          .every(
            ({ instances }) =>
              instances.length > 1 && instances.every(({ healthy, pid }) => healthy && pid !== null && isWell(pid)),
          );
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
    const live = await liveFact(this.site, SERVICE);
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
      strikes: this.strikes.done,
      wished: Object.fromEntries(this.strikes.wished),
      aborts: this.#aborts,
      sick: this.sick,
      endings: Object.fromEntries(this.#endings),
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

  /** A release that the next deploy finds on its environment, and retires. */
  async #fillStandby(): Promise<void> {
    const { environments, active } = await this.site.until("there is a status", () => this.site.service());
    if (!environments.some(({ name, version }) => name !== active && version !== null)) await this.deployed();
  }
}
