import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ManualClock } from "../engine/testing/manual-clock.ts";
import { TealError } from "../model/error.ts";
import type { MaintenanceMode } from "../model/maintenance.ts";
import { readCounters, SERVICE_CELL, totalFrom } from "./cells.ts";
import { type Admission, isRefusal } from "./http/engine.ts";
import type { Refusal } from "./http/refusal.ts";
import { toldOf } from "./observation.ts";
import { PlaneHarness, SIDES, tableOf, turn } from "./plane-harness.ts";
import type { ServiceExchange } from "./worker/exchange.ts";

const WORKERS = 2;

/** One request, from its admission to what became of it. */
interface Asked {
  readonly worker: number;
  isGone: boolean;
  state: "waiting" | "running" | "over" | "lost";
  exchange: ServiceExchange | null;
}

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("apply"),
      green: fc.constantFrom(0, 25, 50, 100),
      of: fc.constantFrom(null, "d1", "d2"),
      arms: fc.boolean(),
      fence: fc.constantFrom(-1, 0, 0, 1),
      generation: fc.constantFrom(-1, 0, 1, 1, 1),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("revert"), of: fc.constantFrom("d1", "d2") }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("disarm"), of: fc.constantFrom("d1", "d2") }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("remove") }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("maintain"),
      mode: fc.constantFrom<MaintenanceMode>("off", "off", "on", "hold"),
      until: fc.constantFrom(null, 700),
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("ask"), worker: fc.nat(WORKERS - 1) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom("answer", "refuse", "reset", "leave"), pick: fc.nat(99) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("lose"), worker: fc.nat(WORKERS - 1) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("health"),
      side: fc.constantFrom(...SIDES),
      at: fc.nat(1),
      is: fc.boolean(),
    }),
  },
  { weight: 12, arbitrary: fc.record({ do: fc.constant("deliver"), worker: fc.nat(WORKERS - 1) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("pass"), ms: fc.constantFrom(10, 200, 1_500) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Drives a data plane by random steps, and checks after each what must always be so. */
class Model {
  readonly #clock = new ManualClock();
  readonly #folder = mkdtempSync(join(tmpdir(), "teal-plane-"));
  readonly #harness: PlaneHarness;
  /** What a connection that follows was told last. */
  #told: unknown = null;
  readonly #asked: Asked[] = [];
  readonly #random: () => number;
  readonly #calls = new Set<Promise<unknown>>();
  readonly #latched = new Set<string>();
  /** Of each environment, and of what waits, at the last look. */
  readonly #counted = new Map<string, string>();
  #order: readonly [number, number] = [0, 0];
  #revision = 0;

  constructor(seed: number) {
    let state = seed;
    this.#random = () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return state / 2 ** 32;
    };
    this.#harness = this.#make();
    this.#harness.followers.follow("web", {
      notify: (_, params) => (this.#told = params),
      closed: new Promise(() => undefined),
    });
  }

  async run(steps: readonly Step[]): Promise<void> {
    try {
      await this.#ensureReleased();
      for (const one of steps) {
        await this.#do(one);
        this.#check();
      }
      await this.#finish();
      await this.#compareWithRestored();
    } finally {
      this.#harness.plane.close();
      rmSync(this.#folder, { recursive: true });
    }
  }

  #make(): PlaneHarness {
    const snapshotPath = join(this.#folder, "proxy.snapshot");
    return new PlaneHarness({
      snapshotClock: new ManualClock(),
      workers: WORKERS,
      clock: this.#clock,
      random: this.#random,
      snapshotPath,
    });
  }

  async #ensureReleased(): Promise<void> {
    this.#call(this.#harness.plane.apply(tableOf({})));
    await this.#settle();
  }

  async #do(one: Step): Promise<void> {
    const { plane } = this.#harness;
    switch (one.do) {
      case "apply":
        this.#apply(one);
        break;
      case "revert":
        this.#latched.add(one.of);
        this.#call(plane.revert("web", one.of, { cause: "revert" }));
        break;
      case "disarm":
        this.#call(plane.disarm("web", one.of));
        break;
      case "remove":
        try {
          this.#call(plane.remove("web", this.#order[0]));
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: "fenced" });
        }
        break;
      case "maintain":
        this.#maintain(one.mode, one.until);
        break;
      case "ask":
        this.#ask(one.worker);
        break;
      case "answer":
      case "refuse":
      case "reset":
      case "leave":
        this.#happen(one.do, one.pick);
        break;
      case "lose":
        for (const asked of this.#asked)
          if (asked.worker === one.worker && asked.state !== "over") asked.state = "lost";
        this.#harness.lose(one.worker);
        break;
      case "health":
        this.#harness.setHealth(one.side, one.is, (at) => at === one.at);
        break;
      case "deliver":
        this.#harness.deliver(one.worker);
        break;
      case "pass":
        this.#pass(one.ms);
        break;
      default:
        one satisfies never;
    }
    await turn();
  }

  #apply({ green, of, arms, fence, generation }: Extract<Step, { do: "apply" }>): void {
    const table = tableOf({
      fence: this.#order[0] + fence,
      generation: this.#order[1] + generation,
      green,
      deployment: of,
      arms,
    });
    const wasLatched = of !== null && this.#latched.has(of);
    const result = this.#harness.plane.apply(table);
    this.#call(result);
    if (wasLatched)
      this.#calls.add(
        result.then(
          () => expect.unreachable("a latched deployment was applied"),
          () => undefined,
        ),
      );
  }

  #maintain(mode: MaintenanceMode, untilMs: number | null): void {
    this.#revision += 1;
    const until = untilMs === null || mode !== "hold" ? null : this.#clock.now() + untilMs;
    const order = {
      mode,
      until,
      endsIn: "off",
      page: null,
      status: 503,
      retryAfterMs: 1,
      allow: [],
      deadlineMs: 1_000,
      most: 3,
    } as const;
    const fence = this.#order[0];
    this.#call(
      this.#harness.plane.maintain("web", { fence, revision: this.#revision, order: { ...order, allow: [] } }, false),
    );
  }

  #ask(worker: number): void {
    const one = this.#harness.workers[worker];
    // It has accepted no connection yet.
    if (one === undefined || one.tables.service("web") === null) return;
    const asked: Asked = { worker, isGone: false, state: "waiting", exchange: null };
    this.#asked.push(asked);
    const { maintenance } = this.#harness.plane.observe("web");
    const admission = one.dispatcher.admit({
      host: "a",
      target: "/",
      isAbandoned: () => asked.isGone || asked.state === "lost",
    });
    if (maintenance === "on" && !one.isLearning) expect(admission).toMatchObject({ code: "maintenance" });
    if (maintenance === "hold" && !one.isLearning)
      expect(admission instanceof Promise || (isRefusal(admission) && admission.code !== "maintenance")).toBe(true);
    this.#follow(asked, admission);
  }

  #follow(asked: Asked, admission: Admission): void {
    if (!(admission instanceof Promise)) {
      this.#settled(asked, admission as ServiceExchange | Refusal);
      return;
    }
    asked.state = "waiting";
    void admission.then((admitted) => {
      // Its worker is no more.
      if (asked.state === "lost") return;
      this.#settled(asked, admitted as ServiceExchange | Refusal);
    });
  }

  #settled(asked: Asked, admitted: ServiceExchange | Refusal): void {
    expect(asked.state).toBe("waiting");
    if (isRefusal(admitted)) {
      asked.state = "over";
      return;
    }
    if (asked.isGone) {
      admitted.end();
      asked.state = "over";
      return;
    }
    asked.state = "running";
    asked.exchange = admitted;
    admitted.onCut = () => {
      admitted.end();
      asked.state = "over";
    };
  }

  #happen(what: "answer" | "refuse" | "reset" | "leave", pick: number): void {
    const open = this.#asked.filter(({ state }) => state === (what === "leave" ? "waiting" : "running"));
    const asked = open[pick % Math.max(1, open.length)];
    if (asked === undefined) return;
    if (what === "leave") asked.isGone = true;
    const { exchange } = asked;
    if (exchange === null || asked.state !== "running") return;
    if (what === "answer") {
      exchange.responded(200, 1);
      exchange.end();
      asked.state = "over";
      return;
    }
    asked.state = "waiting";
    const again = what === "refuse" ? exchange.connectFailed() : exchange.replay();
    if (again !== null) {
      this.#follow(asked, again);
      return;
    }
    exchange.gaveUp(502);
    exchange.end();
    asked.state = "over";
  }

  #pass(ms: number): void {
    this.#clock.advance(ms);
    for (const { dispatcher } of this.#harness.workers) dispatcher.wake("web");
  }

  /** Whatever a data plane may refuse by its order is expected; anything else is not. */
  #call(result: Promise<unknown>): void {
    this.#calls.add(
      result.catch((thrown: unknown) => {
        expect(thrown).toBeInstanceOf(TealError);
        expect(["fenced", "latched", "request-invalid"]).toContain((thrown as TealError).code);
      }),
    );
  }

  #check(): void {
    const observation = this.#harness.plane.observe("web");
    const { split, instances } = observation;
    this.#harness.followers.tell();
    expect(this.#told, "every change is told").toEqual({ service: "web", observation: toldOf(observation) });
    if (split === null) return;
    const sum = Object.values(split.weights).reduce((all, weight) => all + weight, 0);
    expect([0, 100]).toContain(sum);
    const [fence, generation] = this.#order;
    expect(
      split.fence > fence || (split.fence === fence && split.generation >= generation),
      "never below what was live",
    ).toBe(true);
    this.#order = [split.fence, split.generation];
    for (const { inFlight } of instances) expect(inFlight).toBeGreaterThanOrEqual(0);
    this.#harness.workers.forEach(({ isLearning }, index) => {
      const [known, live] = this.#harness.versions(index, "web");
      // One that is still learning is waited for, unless what it learns was refused.
      if (!isLearning && known !== undefined) expect(known, `worker ${String(index)} goes by what is live`).toBe(live);
    });
    for (const { inFlight, drained, cut, final } of this.#harness.receipts) {
      expect(final).toBe(true);
      expect(drained).toBeGreaterThanOrEqual(0);
      expect(cut).toBeGreaterThanOrEqual(0);
      // The rest was spared: it goes on where it is.
      expect(inFlight - drained - cut).toBeGreaterThanOrEqual(0);
    }
    this.#checkSamples();
  }

  /** Whatever a step has changed in the counts is told at the next tick: its mark was raised. */
  #checkSamples(): void {
    const { plane } = this.#harness;
    const counted = new Map<string, string>();
    for (const { cell, environments } of plane.known().tables) {
      counted.set("waiting", String(totalFrom(cell, SERVICE_CELL.held)));
      for (const { environment, counters } of environments)
        counted.set(environment, JSON.stringify(readCounters(counters)));
    }
    const isNews = [...counted].some(([name, now]) => (this.#counted.get(name) ?? now) !== now);
    for (const [name, now] of counted) this.#counted.set(name, now);
    const told = plane.samples(1).map(({ service }) => service);
    if (isNews) expect(told).toEqual(["web"]);
    // The look after the next one is at what is marked after this.
    plane.samples(1);
  }

  /** All messages come, all answers too: nothing is left. */
  async #finish(): Promise<void> {
    await this.#settle();
    for (
      let round = 0;
      round < 40 && this.#asked.some(({ state }) => state === "waiting" || state === "running");
      round += 1
    ) {
      for (const asked of this.#asked) if (asked.state === "running") this.#happen("answer", 0);
      this.#pass(1_000);
      await this.#settle();
    }
    expect(this.#asked.filter(({ state }) => state === "waiting" || state === "running")).toEqual([]);
    for (let round = 0; round < 100; round += 1) {
      this.#pass(1_000);
      await this.#settle();
    }
    const { instances } = this.#harness.plane.observe("web");
    expect(instances.filter(({ inFlight }) => inFlight !== 0)).toEqual([]);
    const [sample] = this.#harness.plane.samples(99);
    expect(Object.values(sample?.environments ?? {}).filter(({ inFlight }) => inFlight !== 0)).toEqual([]);
    expect(sample?.maintenance.waiting).toBe(0);
    expect(this.#harness.receipts).toHaveLength(sample?.switches ?? 0);
  }

  async #compareWithRestored(): Promise<void> {
    // A revert is answered before it is written; this is not.
    await this.#harness.plane.disarm("web", "nobody");
    const before = this.#harness.plane.observe("web");
    const restored = this.#make();
    const after = restored.plane.observe("web");
    restored.plane.close();
    await turn();
    expect({ ...after, instances: [] }).toEqual({ ...before, instances: [] });
    expect(after.instances.map(({ id }) => id)).toEqual(before.instances.map(({ id }) => id));
  }

  async #settle(): Promise<void> {
    const calls = [...this.#calls];
    this.#calls.clear();
    await this.#harness.settle(calls);
    this.#check();
  }
}

test("switches, reverts, holds, maintenance, drains and lost workers, in any order", { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.array(step, { minLength: 10, maxLength: 60 }), async (seed, steps) => {
      await new Model(seed).run(steps);
    }),
    { numRuns: 40, seed: 2_026 },
  );
});
