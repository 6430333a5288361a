import type { Random } from "../../src/model/time.ts";
import { isAlive } from "../../src/wire/process-stat.ts";
import { isEnded } from "../../src/model/deployment.ts";
import { goOn, type Site, tellIfThere } from "../site.ts";
import { seriesOf, type Strike } from "./strike.ts";
import { candidateInstance, type Mark, servingInstance, type Target, watcherOf } from "./target.ts";

type Watchers = Awaited<ReturnType<Site["pids"]>>;

/** Sends the signals of a campaign, and keeps a book on them. */
export class Strikes {
  readonly done: Strike[] = [];
  /** How many of each series are to hit a step that is under way. */
  readonly wished = new Map<string, number>();
  readonly #site: Site;
  readonly #random: Random;
  readonly #stopped = new Set<number>();
  readonly #killed = new Set<number>();
  /** As last seen, so that nobody is asked while a short step goes by. */
  #watchers: Watchers | null = null;

  constructor(site: Site, random: Random) {
    this.#site = site;
    this.#random = random;
  }

  /** Every process is there: these ones. */
  know(watchers: Watchers): void {
    this.#watchers = watchers;
  }

  /** Whether it has got its signal here: it may run, and be told of as well, for some milliseconds after that. */
  isDoomed(pid: number): boolean {
    // Its number may be given to another process.
    for (const known of this.#killed) if (!isAlive(known)) this.#killed.delete(known);
    return this.#killed.has(pid);
  }

  /** So many more of these are to come. */
  wish(what: Pick<Strike, "kind" | "target" | "border">, times = 1): void {
    const series = seriesOf(what);
    this.wished.set(series, (this.wished.get(series) ?? 0) + times);
  }

  /** False when there is no such process at present. */
  async strike(target: Target, kind: "kill" | "stop", border: string | null = null): Promise<boolean> {
    const mark = await this.#aim(target, border !== null);
    const at = Date.now();
    // One that has just died may still be told of.
    if (mark === null || !tellIfThere(mark.pid, kind === "kill" ? "SIGKILL" : "SIGSTOP")) return false;
    (kind === "stop" ? this.#stopped : this.#killed).add(mark.pid);
    this.done.push({ kind, target, at, border, environment: mark.environment });
    return true;
  }

  /** All instances of an environment stand still until {@link goOn}. */
  async stopInstances(environment: string): Promise<void> {
    const { environments } = await this.#site.service();
    const instances = environments.find(({ name }) => name === environment)?.instances ?? [];
    for (const { pid } of instances)
      if (pid !== null && tellIfThere(pid, "SIGSTOP")) {
        this.#stopped.add(pid);
        this.done.push({ kind: "stop", target: "app", at: Date.now(), border: null, environment });
      }
  }

  /** Everything at once, as when a machine loses its power. */
  async killAll(border: string | null): Promise<void> {
    const { keeper, server, proxies } = this.#watchers ?? (await this.#site.pids());
    const { environments } = await this.#site.service();
    const apps = environments.flatMap(({ instances }) => instances.flatMap(({ pid }) => pid ?? []));
    this.note({ kind: "kill", target: "machine", border });
    for (const pid of [keeper, ...proxies, server, ...apps]) if (pid !== null) tellIfThere(pid, "SIGKILL");
  }

  /** Keeper and proxies in the same instant: neither gets to run between the signals, and to start the other again. */
  async killWatchers(border: string | null): Promise<void> {
    const { keeper, proxies } = this.#watchers ?? (await this.#site.pids());
    this.note({ kind: "kill", target: "keeper", border });
    for (let count = 0; count < proxies.length; count += 1) this.note({ kind: "kill", target: "proxy", border });
    for (const signal of ["SIGSTOP", "SIGKILL"] as const)
      for (const pid of [keeper, ...proxies]) tellIfThere(pid, signal);
  }

  /** What is done right now, here or elsewhere. */
  note(strike: Pick<Strike, "kind" | "target" | "border">, environment: string | null = null): void {
    this.done.push({ ...strike, environment, at: Date.now() });
  }

  /** SIGCONT to all that were stopped. */
  goOn(): void {
    for (const pid of this.#stopped) goOn(pid);
    this.#stopped.clear();
  }

  async #aim(target: Target, mayWait: boolean): Promise<Mark | null> {
    if (target === "candidate") return this.#candidate(mayWait);
    if (target === "app") {
      const status = await this.#site.until("instances can be told", () => this.#site.service());
      return servingInstance(status, this.#random);
    }
    const known = this.#watchers === null ? null : watcherOf(this.#watchers, target);
    if (known !== null && isAlive(known.pid)) return known;
    return watcherOf(await this.#site.until(`${target} can be told`, () => this.#site.pids()), target);
  }

  /** At a border it is waited for, for as long as its deployment goes on. */
  async #candidate(mayWait: boolean): Promise<Mark | null> {
    const { mark } = await this.#site.until("an instance of the new release can be told", async () => {
      const status = await this.#site.service();
      if (status.deployment === null) return { mark: null };
      const deployment = await this.#site.client.deployment(status.deployment.id);
      const mark = candidateInstance(status, deployment, this.#random);
      return mark !== null || !mayWait || isEnded(deployment.state) ? { mark } : null;
    });
    return mark;
  }
}
