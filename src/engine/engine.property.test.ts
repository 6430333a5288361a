import fc from "fast-check";
import { expect, test } from "vitest";
import { TealError, toTealError } from "../model/error.ts";
import type { MaintenanceMode } from "../model/maintenance.ts";
import type { ServiceSpec } from "../model/service.ts";
import { FaultyStore } from "./testing/faulty-store.ts";
import { quickSpec, Rig } from "./testing/rig.ts";

/** A search goes new ways each time; without one, the same ways are gone again, so that a failure is this change's own. */
const SEARCH = process.env["TEAL_PROPERTY_RUNS"];
const RUNS = Number(SEARCH ?? 60);
const SEED = SEARCH === undefined ? { seed: 20_261_121 } : {};
const HOUR = 3_600_000;
const ASKER = { by: "tester", reason: null, idempotencyKey: null };
/** Refusals that a person may see whatever the engine does; anything else is a bug. */
const MAY_BE_REFUSED = new Set(
  (
    "deployment-running deployment-ended already-active no-release nothing-to-roll-back-to unhealthy drift aborted " +
    "data-plane-down store-failed latched guardrail-breached controller-loss crash-loop still-has-traffic server-down nothing-to-approve " +
    "nothing-to-resume environment-unknown fenced keeper-down not-healthy rollback-target"
  ).split(" "),
);

/** What goes wrong for a while. */
const FAULTS = ["disk-full", "disk-slow", "traffic-down", "apply-slow", "keeper-down"] as const;
type Fault = (typeof FAULTS)[number];

type Happening =
  | { readonly kind: "restart" | "controller-loss" | "direct-revert" }
  | { readonly kind: "crash"; readonly after: number; readonly hasEffect: boolean };

/** What people ask for. */
type Asked =
  | { readonly kind: "deploy"; readonly version: number; readonly supersede: boolean; readonly gated: boolean }
  | { readonly kind: "switch"; readonly to: "blue" | "green"; readonly force: boolean }
  | { readonly kind: "rollback" | "abort" | "approve" }
  | { readonly kind: "resume"; readonly drift: "adopt" | "overwrite" | null }
  | { readonly kind: "traffic"; readonly blue: number; readonly force: boolean }
  | { readonly kind: "stop" | "start" | "retire"; readonly environment: "blue" | "green" }
  | { readonly kind: "scale"; readonly environment: "blue" | "green"; readonly count: number }
  | { readonly kind: "maintenance"; readonly mode: MaintenanceMode };

type Act =
  | Asked
  | Happening
  | { readonly kind: Fault; readonly on: boolean }
  | { readonly kind: "jump"; readonly ms: number }
  | { readonly kind: "unhealthy"; readonly environment: "blue" | "green"; readonly on: boolean }
  | { readonly kind: "fails"; readonly environment: "blue" | "green" }
  | { readonly kind: "time"; readonly ms: number };

const environment = fc.constantFrom("blue" as const, "green" as const);
const on = fc.boolean();
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("deploy" as const),
      version: fc.integer({ min: 1, max: 4 }),
      supersede: on,
      gated: on,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("switch" as const), to: environment, force: on }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom("rollback" as const, "abort" as const, "approve" as const, "restart" as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("resume" as const),
      drift: fc.constantFrom("adopt" as const, "overwrite" as const, null),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("traffic" as const), blue: fc.constantFrom(0, 30, 100), force: on }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("controller-loss" as const, "direct-revert" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom(...FAULTS),
      on,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom("stop" as const, "start" as const, "retire" as const), environment }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("scale" as const), environment, count: fc.integer({ min: 1, max: 3 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("maintenance" as const),
      mode: fc.constantFrom<MaintenanceMode>("on", "hold", "off"),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("jump" as const),
      ms: fc.constantFrom(-5 * HOUR, -60_000, 60_000, 5 * HOUR),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("unhealthy" as const), environment, on }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("fails" as const), environment }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("crash" as const), after: fc.nat(20), hasEffect: on }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("time" as const),
      ms: fc.constantFrom(0, 100, 500, 1_000, 3_000, 10_000),
    }),
  },
);

function specOf(gated: boolean): ServiceSpec {
  const approval = gated ? "beforeShift" : "none";
  const bakes = gated ? { bakeHoldback: 10 } : {};
  return { ...quickSpec, deploy: { ...quickSpec.deploy, ...bakes, keepStandbyMs: 20_000, approval } };
}

const ASKED: ReadonlySet<Act["kind"]> = new Set<Asked["kind"]>([
  "deploy",
  "switch",
  "rollback",
  "abort",
  "approve",
  "resume",
  "traffic",
  "stop",
  "start",
  "retire",
  "scale",
  "maintenance",
]);

function isAsked(act: Act): act is Asked {
  return ASKED.has(act.kind);
}

/** One service under whatever people and machines do to it. */
class World {
  readonly disk = new FaultyStore();
  readonly made = new Rig(this.disk.store);
  readonly refusals: TealError[] = [];
  #pending = new Set<Promise<unknown>>();

  async start(): Promise<void> {
    await this.made.engine.start({});
  }

  async do(next: Act): Promise<void> {
    await this.#liveOn();
    const { made } = this;
    if (isAsked(next)) {
      await this.#askFor(next);
      return;
    }
    switch (next.kind) {
      case "restart":
      case "crash":
      case "controller-loss":
      case "direct-revert":
        await this.#happen(next);
        break;
      case "disk-full":
      case "disk-slow":
      case "traffic-down":
      case "apply-slow":
      case "keeper-down":
        this.#fault(next.kind, next.on);
        break;
      case "jump":
        made.clock.jump(next.ms);
        break;
      case "unhealthy":
        for (const id of await this.#instances(next.environment)) {
          if (next.on) made.traffic.unhealthy.add(id);
          else made.traffic.unhealthy.delete(id);
        }
        break;
      case "fails":
        made.traffic.count("web", next.environment, { requests: 100, failures: 50 });
        break;
      case "time": {
        const end = made.clock.monotonic() + next.ms;
        await made.until("time has passed", () => made.clock.monotonic() >= end);
        break;
      }
      default:
        next satisfies never;
    }
  }

  #fault(kind: Fault, isOn: boolean): void {
    const { made, disk } = this;
    switch (kind) {
      case "disk-full":
        disk.refusing = isOn;
        break;
      case "disk-slow":
        disk.before = isOn ? () => this.#slowWrite() : () => undefined;
        break;
      case "traffic-down":
        made.traffic.down = isOn ? new TealError("data-plane-down", "no proxy is running") : null;
        break;
      case "apply-slow":
        made.traffic.beforeApply = isOn ? () => made.clock.sleep(3_000) : () => Promise.resolve();
        break;
      case "keeper-down":
        made.environments.down = isOn ? new TealError("keeper-down", "no keeper answers") : null;
        break;
      default:
        kind satisfies never;
    }
  }

  /** What waits for the disk when its process ends is never written: the next process owns the store. */
  async #slowWrite(): Promise<void> {
    const { life, clock } = this.made;
    await clock.sleep(700);
    if (life.isOver) await new Promise(() => undefined);
  }

  async #askFor(next: Asked): Promise<void> {
    const { made } = this;
    const { control } = made.engine;
    const soon = AbortSignal.timeout(60_000);
    switch (next.kind) {
      case "deploy":
        made.spec = specOf(next.gated);
        this.#ask(made.deploy(`v${String(next.version)}`, { supersede: next.supersede }));
        break;
      case "switch":
        this.#ask(control.switch("web", { ...ASKER, to: next.to, force: next.force }, soon));
        break;
      case "rollback":
        this.#ask(control.rollback("web", ASKER, soon));
        break;
      case "resume": {
        const current = await this.#current();
        if (current !== null) this.#ask(control.resume(current, { ...ASKER, drift: next.drift }, soon));
        break;
      }
      case "traffic": {
        const weights = { blue: next.blue, green: 100 - next.blue };
        this.#ask(control.traffic("web", { ...ASKER, wish: { weights }, force: next.force }, soon));
        break;
      }
      case "approve": {
        const current = await this.#current();
        if (current !== null) this.#ask(control.approve(current, ASKER));
        break;
      }
      case "abort": {
        const current = await this.#current();
        if (current !== null) this.#ask(control.abort(current, ASKER, soon));
        break;
      }
      case "stop":
        this.#ask(control.stopEnvironment(this.#request(next.environment, soon)));
        break;
      case "start":
        this.#ask(control.startEnvironment(this.#request(next.environment, soon)));
        break;
      case "retire":
        this.#ask(control.retireEnvironment(this.#request(next.environment, soon)));
        break;
      case "scale":
        this.#ask(control.scaleEnvironment({ ...this.#request(next.environment, soon), count: next.count }));
        break;
      case "maintenance": {
        const order = { mode: next.mode, longestMs: null, endsIn: null, close: false };
        this.#ask(control.maintenance("web", { by: ASKER.by, reason: null, ...order }));
        break;
      }
      default:
        next satisfies never;
    }
  }

  /** What befalls the server, or what the data plane does by itself. */
  async #happen(next: Happening): Promise<void> {
    const { made, disk } = this;
    switch (next.kind) {
      case "restart":
        disk.refusing = false;
        this.#pending.clear();
        made.life.endAfter(Number.POSITIVE_INFINITY, false);
        await this.#through(made.life.isOver ? made.crash() : made.restart());
        break;
      case "crash":
        made.life.endAfter(next.after, next.hasEffect);
        break;
      case "controller-loss":
        if (made.traffic.down === null) made.traffic.loseController("web");
        break;
      case "direct-revert": {
        const current = await this.#current();
        if (current !== null) await made.traffic.revert("web", current).catch(() => undefined);
        break;
      }
      default:
        next satisfies never;
    }
  }

  /** What holds at every moment. */
  async check(): Promise<void> {
    expect(this.refusals.filter(({ code }) => !MAY_BE_REFUSED.has(code))).toEqual([]);
    expect(this.made.problems.filter(({ code }) => code === "internal")).toEqual([]);
    expect((await this.disk.store.unfinished()).length).toBeLessThan(2);
    const { down } = this.made.traffic;
    this.made.traffic.down = null;
    const weights = Object.values(await this.made.weights());
    this.made.traffic.down = down;
    expect([0, 100]).toContain(weights.reduce((sum, weight) => sum + weight, 0));
  }

  /** All faults end. Then everything comes to its end, with the traffic in one place, and the next deployment works. */
  async end(): Promise<void> {
    const { made } = this;
    for (const kind of FAULTS) this.#fault(kind, false);
    made.traffic.unhealthy.clear();
    made.life.endAfter(Number.POSITIVE_INFINITY, false);
    await this.#liveOn();
    await made.until("everything has ended", async () => {
      await this.#approveWhatWaits();
      return this.#pending.size === 0 && (await this.#current()) === null;
    });
    await this.check();
    await this.#chooseAtLast();
    await this.#checkAtRest();
    made.spec = specOf(false);
    expect((await made.deployed("v9")).state).toBe("completed");
    await this.#checkAtRest();
    await made.engine.stop();
  }

  async #approveWhatWaits(): Promise<void> {
    const [waiting] = await this.disk.store.unfinished();
    if (waiting?.state === "waiting") await this.made.engine.control.approve(waiting.id, ASKER);
  }

  /** After a kill the keeper starts the next server. */
  async #liveOn(): Promise<void> {
    if (!this.made.life.isOver) return;
    this.disk.refusing = false;
    this.#pending.clear();
    await this.#through(this.made.crash());
  }

  /** A person who ends a frozen deployment, or sets a split by hand, says at last where the traffic is to be. */
  async #chooseAtLast(): Promise<void> {
    const { made, disk } = this;
    const weights = Object.values(await made.weights());
    const byHand = made.events.some(
      ({ type, data }) => type === "traffic-asked" || (type === "deployment-state" && data["to"] === "frozen"),
    );
    if (!byHand || weights.length === 0 || weights.includes(100)) return;
    const to = (await disk.store.service("web"))?.active ?? "blue";
    await made.engine.control.switch("web", { ...ASKER, to, force: false }, AbortSignal.timeout(5_000));
  }

  async #checkAtRest(): Promise<void> {
    const { made, disk } = this;
    const row = await disk.store.service("web");
    const live = await made.weights();
    expect(live).toEqual(expect.objectContaining(row?.weights ?? {}));
    if (row?.active == null) {
      expect(live).toEqual({});
      return;
    }
    expect(live[row.active]).toBe(100);
    const record = (await disk.store.environments("web")).find(({ name }) => name === row.active);
    expect(record).toMatchObject({ desired: "running", release: expect.any(String) });
    const seen = await made.environments.observe("web", row.active);
    expect(seen).toMatchObject({ release: record?.release, state: "ready" });
  }

  async #current(): Promise<string | null> {
    return (await this.disk.store.unfinished())[0]?.id ?? null;
  }

  async #instances(name: string): Promise<string[]> {
    const { environments } = this.made;
    const { down } = environments;
    environments.down = null;
    const { instances } = await environments.observe("web", name).finally(() => {
      environments.down = down;
    });
    return instances.map(({ id }) => id);
  }

  #request(environment: string, signal: AbortSignal) {
    return { ...ASKER, service: "web", environment, signal };
  }

  /** Time goes on meanwhile: what waits for a slow disk would wait for ever else. */
  async #through(task: Promise<unknown>): Promise<void> {
    let hasEnded = false;
    const end = task.finally(() => {
      hasEnded = true;
    });
    end.catch(() => undefined);
    await this.made.until("it is done", () => hasEnded);
    await end;
  }

  #ask(task: Promise<unknown>): void {
    this.#pending.add(task);
    task
      .catch((thrown: unknown) => {
        this.refusals.push(toTealError(thrown));
      })
      .finally(() => {
        this.#pending.delete(task);
      });
  }
}

test(
  "whatever is asked and whatever fails: no service is stuck, and the traffic is where the record says",
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 3, maxLength: 40, size: "max" }), async (acts) => {
        const world = new World();
        await world.start();
        for (const next of acts) {
          await world.do(next);
          await world.check();
        }
        await world.end();
      }),
      { numRuns: RUNS, ...SEED },
    );
  },
  Math.max(120_000, RUNS * 1_000),
);
