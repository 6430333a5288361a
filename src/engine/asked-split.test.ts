import { expect, test } from "vitest";
import type { NewEvent } from "../model/event.ts";
import type { Weights } from "../model/traffic.ts";
import { directSqliteStore } from "../store/sqlite/direct.ts";
import type { Store } from "../store/store.ts";
import { wasAsked } from "./asked-split.ts";

const ROW = { service: "web", fence: 1, generation: 4, weights: { blue: 100 }, active: "blue", standby: "green" };
const LIVE = { fence: 1, generation: 7, weights: { blue: 40, green: 60 } };

function told(type: NewEvent["type"], generation: number, weights: Weights, service = "web"): NewEvent {
  return { at: 0, service, deployment: null, type, step: null, data: { generation, weights } };
}

/** A log with as many other events behind these. */
async function logged(others: number, ...events: readonly NewEvent[]) {
  const store = directSqliteStore(":memory:");
  const other = told("instance", 0, {});
  await store.append([...events, ...Array.from({ length: others }, () => other)]);
  let pages = 0;
  const counted: Pick<Store, "events" | "lastSeq"> = {
    lastSeq: () => store.lastSeq(),
    events: (after, limit) => {
      pages += 1;
      return store.events(after, limit);
    },
  };
  return { store, counted, pages: () => pages };
}

test.each([
  ["under its own generation", told("traffic-asked", 7, LIVE.weights), true],
  ["under a lower one, which upkeep has raised", told("traffic-asked", 5, LIVE.weights), true],
  ["before what is on record", told("traffic-asked", 4, LIVE.weights), false],
  ["after what is live", told("traffic-asked", 8, LIVE.weights), false],
  ["with other weights", told("traffic-asked", 7, { blue: 50, green: 50 }), false],
  ["of another service", told("traffic-asked", 7, LIVE.weights, "api"), false],
  ["and was not asked, but planned", told("split-applied", 7, LIVE.weights), false],
])("a split asked for %s", async (_when, event, expected) => {
  const { counted } = await logged(2_500, event);
  expect(await wasAsked(counted, LIVE, ROW)).toBe(expected);
});

test("the log is read no further than what is on record", async () => {
  const { counted, store, pages } = await logged(5_000, told("traffic-asked", 3, { blue: 100 }));
  await store.append([told("split-applied", 4, { blue: 100 })]);
  expect(await wasAsked(counted, LIVE, ROW)).toBe(false);
  expect(pages()).toBe(1);
});

test("what was pruned is not looked for", async () => {
  const { counted, store, pages } = await logged(50_000);
  await store.prune(1, { ...told("events-pruned", 0, {}), at: 2 });
  await store.append([{ ...told("instance", 0, {}), at: 2 }]);
  expect(await wasAsked(counted, LIVE, ROW)).toBe(false);
  expect(pages()).toBe(2);
});
