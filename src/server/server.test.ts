import type { FastifyInstance } from "fastify";
import { afterEach, beforeEach, expect, test } from "vitest";
import * as answers from "../api/answers.ts";
import type { TealError } from "../model/error.ts";
import { memoryTokens } from "../engine/testing/memory-tokens.ts";
import { createServer } from "./server.ts";
import { AT, MemoryControl } from "./testing/memory-control.ts";

let control: MemoryControl;
let app: FastifyInstance;
let reported: { readonly error: TealError; readonly url: string }[];

const noTokens = { tokens: await memoryTokens(), reach: async () => ({ address: null, problem: null }) };
const info = {
  version: "1.2.3",
  listeners: async () => [{ listen: "127.0.0.1:0", address: "127.0.0.1:4711" }],
  metrics: async () => "teal_up 1\n",
  ...noTokens,
};

beforeEach(() => {
  control = new MemoryControl();
  reported = [];
  app = createServer(control, { ...info, report: (error, { url }) => reported.push({ error, url }) });
});
afterEach(async () => {
  await app.close();
});

const post = (url: string, payload: object, headers: Record<string, string> = {}) =>
  app.inject({ method: "POST", url, payload, headers });

test("status tells version, listeners and services", async () => {
  const answer = await app.inject("/v1/status");
  expect(answer.statusCode).toBe(200);
  expect(answers.status.parse(answer.json())).toMatchObject({
    version: "1.2.3",
    listeners: [{ address: "127.0.0.1:4711" }],
    services: [
      {
        service: "web",
        traffic: { blue: 100, green: 0 },
        rollback: { seconds: 1 },
        retirement: { environment: "green", at: AT },
      },
    ],
  });
  const one = await app.inject("/v1/services/web");
  expect(answers.serviceStatus.parse(one.json())).toEqual(answers.status.parse(answer.json()).services[0]);
});

test("a plan is shown in seconds, and its goal must have what it needs", async () => {
  const answer = await post("/v1/services/web/plans", {
    goal: "deploy",
    version: "v2",
    variables: { DB_URL: "secret" },
  });
  expect(answers.plan.parse(answer.json())).toMatchObject({
    steps: [{ id: "shift-10", expectedSeconds: 1.5, worstSeconds: 60, touches: ["traffic blue 90 %, green 10 %"] }],
    worstRollbackSeconds: 0.25,
    releases: { from: "v1", to: "v2" },
    changes: [{ path: "environment.count", before: "1", after: "2" }],
  });
  expect(control.asked).toEqual([
    { method: "plan", values: [{ goal: "deploy", service: "web", version: "v2", variables: { DB_URL: "secret" } }] },
  ]);
  for (const goal of ["deploy", "switch", "retire"]) {
    const refused = await post("/v1/services/web/plans", { goal });
    expect(refused.statusCode).toBe(400);
    expect(answers.problem.parse(refused.json())).toMatchObject({
      code: "request-invalid",
      problems: [{ path: expect.stringMatching(/^body\.(version|to)$/) }],
    });
  }
  expect((await post("/v1/services/web/plans", { goal: "rollback" })).statusCode).toBe(200);
});

test("a deployment is accepted with who, why and the idempotency key", async () => {
  const body = { version: "v2", reason: "friday", variables: { A: "1" } };
  const answer = await post("/v1/services/web/deployments", body, { "idempotency-key": "k-1", "teal-user": "ada" });
  expect(answer.statusCode).toBe(202);
  expect(answers.accepted.parse(answer.json())).toEqual({ id: "dep_1" });
  const asker = { by: "ada", reason: "friday", idempotencyKey: "k-1" };
  expect(control.asked).toEqual([
    { method: "deploy", values: ["web", { ...asker, version: "v2", supersede: false, variables: { A: "1" } }] },
  ]);

  const found = await app.inject("/v1/deployments/dep_1");
  const shown = answers.deployment.parse(found.json());
  expect(shown).toMatchObject({
    id: "dep_1",
    by: "ada",
    steps: [{ id: "shift-10", state: "running", startedAt: AT }],
    receipts: [{ final: true }],
  });
  expect(found.json()).not.toHaveProperty("touchedTraffic");
  const series = answers.series.parse((await app.inject("/v1/deployments/dep_1/series")).json());
  expect(series).toMatchObject({
    deployment: "dep_1",
    candidate: "green",
    baseline: "blue",
    before: { blue: [[12, 5]] },
  });
  expect(series.points.map(({ from, at }) => [from - AT, at - AT])).toEqual([
    [0, 1_000],
    [1_000, 2_000],
  ]);
  const history = answers.history.parse((await app.inject("/v1/services/web/history?limit=5")).json());
  expect(history.history).toMatchObject([
    { deployment: "dep_1", goal: "deploy", version: "v2", by: "ada", reason: "friday" },
  ]);
});

test.each([
  [{}, "local"],
  [{ "teal-user": "" }, "local"],
  [{ "teal-user": "a\u0007b" }, "local"],
  [{ "teal-user": "x".repeat(200) }, "local"],
  [{ "teal-user": "grace.hopper@example.org" }, "grace.hopper@example.org"],
])("%o asks as %s", async (headers, by) => {
  await post("/v1/services/web/rollback", {}, headers);
  expect(control.asked[0]?.values[1]).toEqual({ by, reason: null, idempotencyKey: null });
});

test("an approval answers whose counts", async () => {
  await app.inject({ method: "POST", url: "/v1/services/web/deployments", payload: { version: "v2" } });
  const answer = await app.inject({
    method: "POST",
    url: "/v1/deployments/dep_1/approve",
    headers: { "teal-user": "ann" },
    payload: { reason: "checked" },
  });
  expect(answer.statusCode).toBe(200);
  expect(answers.approved.parse(answer.json())).toMatchObject({
    id: "dep_1",
    service: "web",
    by: "ann",
    reason: "checked",
    repeated: false,
  });
});

test("switch, rollback and abort answer what was done; a body may be left out where nothing in it is needed", async () => {
  const switched = answers.switched.parse((await post("/v1/services/web/switch", { to: "green" })).json());
  expect(switched).toMatchObject({
    id: "dep_1",
    state: "running",
    receipt: { generation: 4, to: { blue: 0, green: 100 } },
  });
  const back = await app.inject({ method: "POST", url: "/v1/services/web/rollback" });
  expect(answers.switched.parse(back.json())).toMatchObject({ id: "dep_2", receipt: null });
  const aborted = await app.inject({ method: "POST", url: "/v1/deployments/dep_2/abort" });
  expect(answers.deployment.parse(aborted.json())).toMatchObject({ id: "dep_2", state: "rolling-back" });
  expect(control.asked.map((call) => call.method)).toEqual(["switch", "rollback", "abort"]);
});

test("maintenance is asked for with who, why and for how long, and answers what holds then", async () => {
  const body = { mode: "hold", seconds: 30, endsIn: "on", reason: "moving" };
  const answer = await post("/v1/services/web/maintenance", body, { "teal-user": "ada" });
  expect(answers.maintenance.parse(answer.json())).toEqual({
    service: "web",
    mode: "hold",
    since: AT,
    until: null,
    endsIn: "off",
    by: "ada",
    reason: "moving",
    changed: true,
    warnings: ["a warning"],
  });
  await post("/v1/services/web/maintenance", { mode: "off" });
  expect(control.asked).toEqual([
    {
      method: "maintenance",
      values: ["web", { by: "ada", reason: "moving", mode: "hold", longestMs: 30_000, endsIn: "on", close: false }],
    },
    {
      method: "maintenance",
      values: ["web", { by: "local", reason: null, mode: "off", longestMs: null, endsIn: null, close: false }],
    },
  ]);
  expect((await post("/v1/services/web/maintenance", { mode: "pause" })).statusCode).toBe(400);
});

test("an error of the engine leaves as problem+json with code, remedy and the catalogue's status", async () => {
  const answer = await app.inject("/v1/services/api");
  expect([answer.statusCode, answer.headers["content-type"]]).toEqual([404, "application/problem+json; charset=utf-8"]);
  expect(answers.problem.parse(answer.json())).toEqual({
    type: "urn:teal:error:service-unknown",
    title: "There is no such service",
    status: 404,
    detail: "there is no service api",
    code: "service-unknown",
    remedy: "Use web.",
    problems: [],
  });
  expect(reported).toEqual([]);
});

test("every wrong field is named", async () => {
  const answer = await post("/v1/services/web/switch", { tp: "green", force: "yes" });
  expect(answer.statusCode).toBe(400);
  const found = answers.problem.parse(answer.json());
  expect(found.code).toBe("request-invalid");
  expect(found.problems.map((each) => each.path)).toEqual(["body.to", "body.force", "body"]);
  expect(found.problems[2]?.message).toContain('"tp"');
});

test.each([
  ["a name with a slash", { method: "GET", url: "/v1/services/a%2Fb" }],
  ["a limit of nothing", { method: "GET", url: "/v1/services/web/history?limit=0" }],
  ["a follow that is neither", { method: "GET", url: "/v1/events?follow=perhaps" }],
  [
    "a last event that is no number",
    { method: "GET", url: "/v1/events?follow=false", headers: { "last-event-id": "x" } },
  ],
  [
    "a body that is not JSON",
    { method: "POST", url: "/v1/services/web/switch", headers: { "content-type": "application/json" }, payload: "{" },
  ],
  [
    "a type that is not taken",
    { method: "POST", url: "/v1/services/web/switch", headers: { "content-type": "text/html" }, payload: "hi" },
  ],
  [
    "a body over 1 MiB",
    { method: "POST", url: "/v1/services/web/rollback", payload: { reason: "x".repeat(1_100_000) } },
  ],
] as const)("%s is refused as request-invalid", async (_what, request) => {
  const answer = await app.inject(request);
  expect(answer.statusCode).toBe(400);
  expect(answers.problem.parse(answer.json()).code).toBe("request-invalid");
  expect(control.asked).toEqual([]);
});

test("a name of 128 characters reaches the engine", async () => {
  const name = "n".repeat(128);
  expect((await app.inject(`/v1/services/${name}`)).json()).toMatchObject({ code: "service-unknown" });
  expect(control.asked).toEqual([{ method: "serviceStatus", values: [name] }]);
});

test("what does not exist is not-found, also with another method", async () => {
  for (const request of [
    { method: "GET", url: "/v2" },
    { method: "DELETE", url: "/v1/status" },
    { method: "HEAD", url: "/v1/events" },
  ] as const) {
    expect((await app.inject(request)).statusCode).toBe(404);
  }
  expect((await app.inject("/v2?x=1")).json()).toMatchObject({
    code: "not-found",
    detail: "GET /v2 is not a call of this API",
  });
});

test("what nobody foresaw is logged with its cause and not shown", async () => {
  control.failure = new Error("password=hunter2");
  const answer = await app.inject("/v1/status");
  expect(answer.statusCode).toBe(500);
  expect(answer.body).not.toContain("hunter2");
  expect(answer.json()).toMatchObject({
    code: "internal",
    detail: expect.stringContaining("log has more under request"),
  });
  expect(reported).toMatchObject([
    { url: "/v1/status", error: { code: "internal", cause: { message: "password=hunter2" } } },
  ]);
});

test("health and metrics", async () => {
  expect((await app.inject("/healthz")).json()).toEqual({ status: "ok", version: "1.2.3" });
  const metrics = await app.inject("/metrics");
  expect([metrics.body, metrics.headers["content-type"]]).toEqual([
    "teal_up 1\n",
    "text/plain; version=0.0.4; charset=utf-8",
  ]);
});
