import * as fc from "fast-check";
import { expect, test } from "vitest";
import { canBecome, type Deployment, DEPLOYMENT_STATES, isEnded } from "../../model/deployment.ts";
import { TealError } from "../../model/error.ts";
import { weightsProblem } from "../../model/traffic.ts";
import { NOW, sampleAcceptance, sampleDeployment, sampleEvent, sampleRelease } from "../samples.ts";
import type { ServiceRow } from "../store.ts";
import { SqliteStore } from "./sqlite-store.ts";

const ids = ["dep_1", "dep_2", "dep_3"] as const;

const command = fc.oneof(
  fc.record({ kind: fc.constant("claim" as const), observed: fc.nat(6) }),
  fc.record({
    kind: fc.constant("accept" as const),
    id: fc.constantFrom(...ids),
    key: fc.constantFrom(null, "a", "b"),
  }),
  fc.record({
    kind: fc.constant("transition" as const),
    id: fc.constantFrom(...ids),
    fence: fc.nat(8),
    state: fc.option(fc.constantFrom(...DEPLOYMENT_STATES), { nil: undefined }),
    generation: fc.nat(6),
    blue: fc.integer({ min: 0, max: 101 }),
  }),
);
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

/** The plainest thing that could be right: what the store is held against. */
class Model {
  fence: number | null = null;
  generation = 0;
  blue: number | null = null;
  events = 0;
  readonly deployments = new Map<string, { state: Deployment["state"]; key: string | null }>();

  run(given: Command): string {
    if (given.kind === "claim") {
      this.fence = Math.max(this.fence ?? 0, given.observed) + 1;
      return "claimed";
    }
    return given.kind === "accept" ? this.#accept(given.id, given.key) : this.#transition(given);
  }

  #accept(id: string, key: string | null): string {
    const rows = [...this.deployments];
    const first = rows.find(([, row]) => key !== null && row.key === key);
    if (first !== undefined && (first[0] !== id || isEnded(first[1].state))) return `repeated ${first[0]}`;
    const other = rows.find(([, row]) => !isEnded(row.state));
    if (other !== undefined) return other[0] === id ? "accepted" : `busy ${other[0]}`;
    if (this.deployments.has(id)) return "store-failed";
    this.fence ??= 0;
    this.deployments.set(id, { state: "planned", key });
    this.events++;
    return "accepted";
  }

  #transition(given: Command & { kind: "transition" }): string {
    if (this.fence === null) return "service-unknown";
    if (given.fence < this.fence) return "fenced";
    const row = this.deployments.get(given.id);
    if (row === undefined) return "deployment-unknown";
    const state = given.state ?? row.state;
    if (given.state !== undefined && isEnded(row.state)) return "deployment-ended";
    if (state !== row.state && !canBecome(row.state, state)) return "internal";
    if (given.blue > 100 || given.generation < this.generation) return "internal";
    row.state = state;
    [this.fence, this.generation, this.blue] = [given.fence, given.generation, given.blue];
    this.events++;
    return "written";
  }
}

function run(store: SqliteStore, given: Command): string {
  try {
    if (given.kind === "claim") return store.claim("web", given.observed).fence > 0 ? "claimed" : "no fence";
    if (given.kind === "accept") {
      const accepted = store.accept(
        sampleAcceptance(given.id, { idempotencyKey: given.key, deployment: sampleDeployment(given.id) }),
      );
      return accepted.kind === "accepted" ? "accepted" : `${accepted.kind} ${accepted.deployment.id}`;
    }
    const { id, state, fence, generation, blue } = given;
    store.transition({
      service: "web",
      fence,
      at: NOW,
      deployment: { id, ...(state === undefined ? {} : { state }) },
      release: { ...sampleRelease, digest: null },
      split: { generation, weights: { blue, green: 100 - blue } },
      events: [sampleEvent()],
    });
    return "written";
  } catch (thrown) {
    if (thrown instanceof TealError) return thrown.code;
    throw thrown;
  }
}

function expectSame(store: SqliteStore, model: Model): void {
  const row = store.service("web");
  expect(row?.fence ?? null).toBe(model.fence);
  expect(row?.generation ?? 0).toBe(model.generation);
  expect(row?.weights ?? {}).toEqual(model.blue === null ? {} : { blue: model.blue, green: 100 - model.blue });
  expect(store.events(0, 1_000)).toHaveLength(model.events);
  expect(store.history("web", 10)).toHaveLength(model.deployments.size);
  for (const [id, expected] of model.deployments) {
    const found = store.deployment(id);
    expect(found?.state).toBe(expected.state);
    expect(found?.endedAt !== null).toBe(isEnded(expected.state));
  }
}

/** Fence and generation only grow; at most one deployment is unfinished; a split is whole or there is none yet. */
function expectInvariants(store: SqliteStore, before: ServiceRow | null): void {
  const row = store.service("web");
  expect(row?.fence ?? 0).toBeGreaterThanOrEqual(before?.fence ?? 0);
  expect(row?.generation ?? 0).toBeGreaterThanOrEqual(before?.generation ?? 0);
  expect(store.unfinished().length).toBeLessThanOrEqual(1);
  const weights = row?.weights ?? {};
  expect(Object.keys(weights).length === 0 || weightsProblem(weights) === null).toBe(true);
}

test("whatever is asked in whatever order, the store does what its model does, and its invariants hold", () => {
  fc.assert(
    fc.property(fc.array(command, { minLength: 1, maxLength: 25 }), (commands) => {
      const store = new SqliteStore(":memory:");
      const model = new Model();
      for (const given of commands) {
        const before = store.service("web");
        expect(run(store, given)).toBe(model.run(given));
        expectSame(store, model);
        expectInvariants(store, before);
      }
      store.close();
    }),
    { numRuns: 150 },
  );
});
