import { expect, test } from "vitest";
import type { MaintenanceOrder } from "../../model/maintenance.ts";
import { MODE_COUNTER, readModeCounters, SERVICE_CELL, sharedInts, sharedNumbers } from "../cells.ts";
import type { RequestFacts } from "../http/engine.ts";
import { prefersJson } from "./prefers-json.ts";
import { NO_STANDING, ServiceMode } from "./service-mode.ts";

const PAGE = { type: "text/plain; charset=utf-8", base64: Buffer.from("später").toString("base64") };
const ORDER: MaintenanceOrder = {
  mode: "on",
  until: null,
  endsIn: "off",
  page: PAGE,
  status: 503,
  retryAfterMs: 1_500,
  allow: ["192.0.2.0/25", "198.51.100.7", "2001:db8::/32"],
  deadlineMs: 1_000,
  most: 1,
};
const counters = sharedNumbers(2 * MODE_COUNTER.length);
const cell = sharedInts(SERVICE_CELL.held + 2);
const mode = new ServiceMode({ service: "web", number: 1, cell, counters, mode: "on", order: ORDER }, 1);

const facts = (client: string | undefined, accept?: string): RequestFacts => ({
  host: "a",
  target: "/",
  isAbandoned: () => false,
  client: () => client,
  field: (name) => (name === "accept" ? accept : undefined),
});

test.each([
  ["192.0.2.1", true],
  ["192.0.2.129", false],
  ["198.51.100.7", true],
  ["::ffff:198.51.100.7", true],
  ["198.51.100.8", false],
  ["2001:DB8::9", true],
  ["2001:db9::9", false],
  ["192.0.2.1:80", false],
  ["", false],
  [undefined, false],
])("a client at %s passes: %s", (address, passes) => {
  expect(mode.standingOf(facts(address)).passes).toBe(passes);
});

test("without a list nobody passes", () => {
  const closed = new ServiceMode(
    { service: "web", number: 1, cell, counters, mode: "on", order: { ...ORDER, allow: [] } },
    0,
  );
  expect(closed.standingOf(facts("127.0.0.1")).passes).toBe(false);
});

test("the answer is the page byte by byte, or a problem for those who want JSON; each is counted", () => {
  const page = mode.answerTo(NO_STANDING);
  expect(Buffer.from(page.body, "latin1").toString()).toBe("später");
  expect(page).toMatchObject({ code: "maintenance", status: 503, type: PAGE.type, retryAfterS: 2 });
  const problem = mode.answerTo(mode.standingOf(facts("203.0.113.1", "application/json")));
  expect(problem).toMatchObject({ code: "maintenance", status: 503, type: "application/problem+json", retryAfterS: 2 });
  expect(JSON.parse(problem.body)).toMatchObject({ type: "urn:teal:error:maintenance", status: 503 });
  expect(readModeCounters(counters)).toEqual({ answered: 2, held: 0, released: 0, timedOut: 0 });
});

test.each([
  [undefined, false],
  ["*/*", false],
  ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", false],
  ["application/json", true],
  ["Application/JSON; charset=utf-8", true],
  ["application/vnd.api+json, */*;q=0.1", true],
  ["application/json, text/plain, */*", true],
  ["text/html, application/json", false],
  ["text/html;q=0.5, application/json", true],
  ["application/json;q=0", false],
  ["application/json;q=high", false],
  ["application/jsonp", false],
  [",;,", false],
])("Accept %s prefers JSON: %s", (accept, wanted) => {
  expect(prefersJson(accept)).toBe(wanted);
});
