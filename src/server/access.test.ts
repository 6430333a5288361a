import type { FastifyInstance } from "fastify";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type RouteName, ROUTES } from "../api/routes.ts";
import { memoryTokens } from "../engine/testing/memory-tokens.ts";
import type { Tokens } from "../engine/tokens.ts";
import type { TealError } from "../model/error.ts";
import { ROLES, type Role } from "../model/token.ts";
import { PERMISSIONS } from "./permissions.ts";
import { createServer } from "./server.ts";
import { MemoryControl, memoryEvent } from "./testing/memory-control.ts";

const SOCKET_ONLY = { variables: { A: "1" } };

let control: MemoryControl;
let tokens: Tokens;
let app: FastifyInstance;
let reported: TealError[];

beforeEach(async () => {
  control = new MemoryControl();
  tokens = await memoryTokens();
  reported = [];
  app = createServer(control, {
    version: "1",
    listeners: async () => [],
    metrics: async () => "",
    tokens,
    reach: async () => ({ address: null, problem: null }),
    channel: "tcp",
    hosts: ["teal.example.com"],
    report: (problem) => reported.push(problem),
  });
});
afterEach(async () => {
  await app.close();
});

async function secretOf(role: Role, services: readonly string[] | null = null): Promise<string> {
  const name = `${role}${services?.join("") ?? ""}`;
  return (await tokens.create({ name, role, services, lastsMs: null, by: "ada", reason: null })).secret;
}

const as = (secret: string, more: object = {}): { headers: Record<string, string> } => ({
  headers: { host: "127.0.0.1:8325", authorization: `Bearer ${secret}`, ...more },
});

/** Some call of each route, with what it needs to get past the checks of its shape. */
const call = (name: RouteName, secret: string) => {
  const { method, path } = ROUTES[name];
  const url = path.replaceAll(/:(\w+)/g, "none");
  return app.inject({ method, url: name === "events" ? `${url}?follow=false` : url, ...as(secret) });
};

test.each(ROLES)(
  "a %s may do what its role grants, of every call that there is, and gets 403 for the rest",
  async (role) => {
    const secret = await secretOf(role);
    const refused: string[] = [];
    for (const name of Object.keys(ROUTES) as RouteName[]) {
      const answer = await call(name, secret);
      expect(answer.statusCode).not.toBe(401);
      if (answer.statusCode === 403) refused.push(PERMISSIONS[name] ?? "none");
    }
    const all = { viewer: ["abort", "administer", "approve", "deploy"], deployer: ["administer", "approve"] };
    const expected = { ...all, approver: ["administer", "deploy"], admin: [] }[role];
    expect([...new Set(refused)].toSorted()).toEqual(expected);
  },
);

test("no call but the health check is answered without a valid token", async () => {
  const header = { host: "localhost:8325" };
  const answered: string[] = [];
  for (const [name, { method, path }] of Object.entries(ROUTES)) {
    const answer = await app.inject({ method, url: path, headers: header });
    if (![401, 429].includes(answer.statusCode)) answered.push(name);
  }
  expect(answered).toEqual(["health"]);
  expect(control.asked).toEqual([]);
});

test("what is no token is told so, as the scheme asks", async () => {
  const answer = await app.inject({ url: "/v1/status", ...as("nonsense") });
  expect([answer.statusCode, answer.headers["www-authenticate"]]).toEqual([401, 'Bearer realm="teal"']);
  expect(answer.json()).toMatchObject({ code: "unauthorized", detail: "the token is not valid" });
});

test("after ten bad calls in a minute an address gets 429 and one line in the log, and a valid token still passes", async () => {
  const secret = await secretOf("viewer");
  const bad = async (): Promise<number> => (await app.inject({ url: "/v1/status", ...as("x") })).statusCode;
  const statuses: number[] = [];
  for (let sent = 0; sent < 13; sent += 1) statuses.push(await bad());
  expect(statuses).toEqual([...Array<number>(10).fill(401), 429, 429, 429]);
  expect(reported.map(({ code }) => code)).toEqual(["too-many-attempts"]);
  expect((await app.inject({ url: "/v1/status", ...as(secret) })).statusCode).toBe(200);
});

test("a name that is not ours, or a page of another origin, gets nothing, also with a valid token", async () => {
  const secret = await secretOf("admin");
  const status = async (headers: Record<string, string>): Promise<number> =>
    (await app.inject({ url: "/v1/status", ...as(secret, headers) })).statusCode;
  const ours = ["localhost", "LOCALHOST:8325", "127.0.0.1", "[::1]:8325", "10.1.2.3:9", "teal.example.com"];
  const others = ["evil.example", "evil.example:8325", "localhost.evil.example", "127.0.0.1.evil.example", "a b"];
  const statuses = (values: string[], name: string) => Promise.all(values.map((value) => status({ [name]: value })));
  expect(await statuses(ours, "host")).toEqual(ours.map(() => 200));
  expect(await statuses(others, "host")).toEqual(others.map(() => 403));
  expect(await statuses(["https://evil.example", "null", "http://localhost:3000"], "origin")).toEqual([403, 403, 403]);
  expect(await status({ origin: "http://127.0.0.1:8325" })).toBe(200);
});

test("nothing is answered that would let another origin read it", async () => {
  const secret = await secretOf("viewer");
  const answer = await app.inject({ url: "/v1/status", ...as(secret) });
  expect(Object.keys(answer.headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
});

test("a token of one service sees and does that alone", async () => {
  const web = await secretOf("deployer", ["web"]);
  const api = await secretOf("deployer", ["api"]);
  control.log.push(memoryEvent(1), { ...memoryEvent(2), service: "api" }, { ...memoryEvent(3), service: null });
  const services = async (secret: string): Promise<string[]> =>
    (await app.inject({ url: "/v1/status", ...as(secret) }))
      .json<{ services: { service: string }[] }>()
      .services.map(({ service }) => service);
  expect([await services(web), await services(api)]).toEqual([["web"], []]);
  const deploy = (secret: string) =>
    app.inject({ method: "POST", url: "/v1/services/web/deployments", payload: { version: "v2" }, ...as(secret) });
  const begun = await deploy(web);
  expect([begun.statusCode, (await deploy(api)).statusCode]).toEqual([202, 403]);
  const { id } = begun.json<{ id: string }>();
  const look = (secret: string) => app.inject({ url: `/v1/deployments/${id}`, ...as(secret) });
  expect([(await look(web)).statusCode, (await look(api)).statusCode]).toEqual([200, 403]);
  const metrics = await app.inject({ url: "/metrics", ...as(web) });
  expect(metrics.json()).toMatchObject({ code: "forbidden", detail: expect.stringContaining("all services") });
  const events = await app.inject({ url: "/v1/events?follow=false", ...as(api) });
  expect([...events.body.matchAll(/^id: (\d+)$/gm)].map(([, seq]) => seq)).toEqual(["2"]);
});

test("the history names the token, not who the caller says he is, and variables are refused", async () => {
  const secret = await secretOf("deployer");
  const sent = (payload: object) =>
    app.inject({
      method: "POST",
      url: "/v1/services/web/deployments",
      payload,
      ...as(secret, { "teal-user": "root" }),
    });
  expect((await sent({ version: "v2", ...SOCKET_ONLY })).json()).toMatchObject({ code: "forbidden" });
  expect((await sent({ version: "v2" })).statusCode).toBe(202);
  expect(control.asked).toMatchObject([{ method: "deploy", values: ["web", { by: "token deployer", variables: {} }] }]);
});

test("an admin makes tokens, whose secrets are in that answer alone, and takes them away", async () => {
  const secret = await secretOf("admin");
  const payload = { name: "ci", role: "viewer", services: ["web"], expiresInSeconds: 60 };
  const made = await app.inject({ method: "POST", url: "/v1/tokens", payload, ...as(secret) });
  expect([made.statusCode, made.headers["cache-control"]]).toEqual([200, "no-store"]);
  const created = made.json<{ secret: string; token: { createdBy: string } }>();
  expect(created.token.createdBy).toBe("token admin");
  expect((await app.inject({ url: "/v1/status", ...as(created.secret) })).statusCode).toBe(200);
  const list = await app.inject({ url: "/v1/tokens", ...as(secret) });
  expect(list.json()).toMatchObject({ tokens: [{ name: "admin" }, { name: "ci", services: ["web"] }] });
  expect(list.body).not.toMatch(/hash|secret/);
  await app.inject({ method: "POST", url: "/v1/tokens/ci/revoke", payload: {}, ...as(secret) });
  expect((await app.inject({ url: "/v1/status", ...as(created.secret) })).statusCode).toBe(401);
});
