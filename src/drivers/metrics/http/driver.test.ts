import type { IncomingMessage, ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { metricsConformance, type SourceSays } from "../../../ports/metrics.conformance.ts";
import { systemClock } from "../../../main/clock.ts";
import { serve } from "../../validation/fixtures.ts";
import { subject } from "../fixtures.ts";
import { HttpMetrics } from "./driver.ts";

const driver = new HttpMetrics({ clock: systemClock });
const never = new AbortController().signal;

function body(says: SourceSays): string {
  if (typeof says === "number") return JSON.stringify({ queue: { lag: says } });
  if (says === "garbage") return "<html>";
  return JSON.stringify(says === "nothing" ? {} : { queue: { lag: "12" } });
}

metricsConformance(
  "http",
  async () => {
    const says = new Map<string, SourceSays>();
    let isHanging = false;
    const source = await serve((request: IncomingMessage, answer: ServerResponse) => {
      if (isHanging) return;
      if (request.headers.authorization !== "Bearer hush") answer.writeHead(401).end();
      else answer.end(body(says.get(String(request.url).slice(1)) ?? "nothing"));
    });
    return {
      driver,
      settings: { url: `${source.baseUrl}/$environment`, pointer: "/queue/lag", bearer: "hush" },
      subject,
      say: (environment, what) => Promise.resolve(void says.set(environment, what)),
      hang: () => Promise.resolve(void (isHanging = true)),
      die: () => source[Symbol.asyncDispose](),
      close: () => source[Symbol.asyncDispose](),
    };
  },
  { "several series": "a pointer points to one place" },
);

describe("an HTTP source", () => {
  /** The app's instances, each with what it answers. */
  async function instances(...answers: readonly (object | "down" | null)[]) {
    const servers = await Promise.all(
      answers.map((said) =>
        serve((_, answer) => {
          if (said === null) answer.destroy();
          else answer.writeHead(said === "down" ? 503 : 200).end(JSON.stringify(said));
        }),
      ),
    );
    const known = servers.map(({ baseUrl }, index) => ({ id: `web/green/v2/${String(index)}`, baseUrl }));
    return {
      subject: subject("green", known),
      [Symbol.asyncDispose]: async () => {
        for (const server of servers) await server[Symbol.asyncDispose]();
      },
    };
  }
  const pool = { path: "/deployment/validate", pointer: "/pool/used", of: "/pool/size" };

  it("asks each instance, and takes the worst gauge of those that answer", async () => {
    await using app = await instances({ pool: { used: 5, size: 20 } }, null, { pool: { used: 9, size: 10 } });
    expect(await driver.read({ settings: pool, subject: app.subject }, never)).toMatchObject({
      kind: "value",
      value: 0.9,
    });
    const lowest = { ...pool, worst: "lowest" };
    expect(await driver.read({ settings: lowest, subject: app.subject }, never)).toMatchObject({ value: 0.25 });
  });

  it("tells no query, neither in the plan nor when nobody answers", async () => {
    await using app = await instances(null);
    const asked = { path: "/stats?key=hush", pointer: "/n" };
    expect(driver.describe(asked)).toBe("GET /stats?… of each instance: /n");
    expect(driver.describe({ ...asked, path: undefined, url: "http://me:hush@host/x?key=hush" })).toBe(
      "GET http://host/x?…: /n",
    );
    const reading = await driver.read({ settings: asked, subject: app.subject }, never);
    expect(reading).toMatchObject({
      kind: "none",
      reason: expect.stringMatching(/^\/stats\?… of web\/green\/v2\/0 did not answer: /) as string,
    });
    const garbled = await driver.read({ settings: { ...asked, pointer: "/x" }, subject: app.subject }, never);
    expect(JSON.stringify(garbled)).not.toContain("hush");
  });

  it("keeps the counters of instances apart", async () => {
    await using app = await instances({ db: { errors: 1, all: 10 } }, { db: { errors: 2, all: 20 } });
    const shares = { path: "/x", pointer: "/db/errors", total: "/db/all" };
    expect(await driver.read({ settings: shares, subject: app.subject }, never)).toMatchObject({
      kind: "counts",
      counts: { "web/green/v2/0": { bad: 1, total: 10 }, "web/green/v2/1": { bad: 2, total: 20 } },
    });
    const errors = { path: "/x", pointer: "/db/errors", counter: true };
    expect(await driver.read({ settings: errors, subject: app.subject }, never)).toMatchObject({
      counts: { "web/green/v2/0": { bad: 1, total: null } },
    });
  });

  it("reads the number whatever the status is, and names the status where there is none", async () => {
    await using app = await instances("down");
    expect(await driver.read({ settings: pool, subject: app.subject }, never)).toEqual({
      kind: "none",
      code: "nothing",
      reason: "its answer (503) has nothing at /pool/used",
    });
  });

  it.each([
    [{ pool: { used: 1, size: 0 } }, "no-number", "/pool/size is 0, and cannot be divided by"],
    [{ pool: { used: 1 } }, "nothing", "its answer has nothing at /pool/size"],
    [{ pool: { used: null, size: 1 } }, "no-number", "its answer has something that is no number at /pool/used"],
  ])("says what it misses in %j", async (said, code, reason) => {
    await using app = await instances(said);
    expect(await driver.read({ settings: pool, subject: app.subject }, never)).toEqual({ kind: "none", code, reason });
  });

  it("says so when no instance is there to be asked", async () => {
    expect(await driver.read({ settings: pool, subject: subject("green") }, never)).toEqual({
      kind: "none",
      code: "nothing",
      reason: "no instance is ready to be asked",
    });
  });

  it("puts names into the path as URLs have them", async () => {
    const asked: string[] = [];
    await using app = await serve((request, answer) => {
      asked.push(String(request.url));
      answer.end("{}");
    });
    const settings = { path: "/m/$release?of=$environment&cost=$$5", pointer: "/n" };
    await driver.read({ settings, subject: subject("green", [{ id: "a", baseUrl: app.baseUrl }]) }, never);
    expect(asked).toEqual(["/m/v2%2B1?of=green&cost=$5"]);
  });
});
