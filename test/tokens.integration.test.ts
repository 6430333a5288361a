import { appendFile } from "node:fs/promises";
import { createServer } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { execFile } from "node:child_process";
import { type IncomingMessage, request } from "node:http";
import { expect, test } from "vitest";
import type { TokenCreatedAnswer, TokensAnswer } from "../src/api/answers.ts";
import type { CliResult } from "./site.ts";
import { Site } from "./site.ts";

const CLI = join(import.meta.dirname, "..", "bin", "teal.js");

async function siteWithApi(listen = "127.0.0.1:0"): Promise<Site> {
  const site = await Site.create();
  await appendFile(join(site.dir, "teal.yaml"), `server: { listen: "${listen}" }\n`);
  await site.start();
  return site;
}

async function created(site: Site, ...args: string[]): Promise<TokenCreatedAnswer> {
  const { code, stdout, stderr } = await site.cli("token", "create", ...args, "--json");
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout) as TokenCreatedAnswer;
}

/** The command line on a machine that has nothing of Teal's but the address and a token. */
function elsewhere(address: string | null, token: string, ...args: string[]): Promise<CliResult> {
  const env = { PATH: process.env["PATH"], NO_COLOR: "1", TEAL_URL: `http://${address ?? ""}`, TEAL_TOKEN: token };
  return new Promise((done) => {
    execFile(process.execPath, [CLI, ...args], { cwd: "/", timeout: 60_000, env }, (error, stdout, stderr) => {
      done({ code: error === null ? 0 : typeof error.code === "number" ? error.code : 1, stdout, stderr });
    });
  });
}

/** Whether anything accepts there, and its status without a token. */
function statusAt(address: string): Promise<number | string> {
  return new Promise((resolve) => {
    const asked = request(`http://${address}/v1/status`, { agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.on("error", (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? "error");
    });
    asked.end();
  });
}

test("a pipeline on another machine deploys with a token of its service, and can do no more than that", async () => {
  await using site = await siteWithApi();
  const { secret, api } = await created(site, "ci", "--role", "deployer", "--service", "web", "--expires", "90d");
  const run = (...args: string[]) => elsewhere(api.address, secret, ...args);

  const deployed = await run("deploy", "--version", "v1", "--json");
  expect([deployed.code, deployed.stderr]).toEqual([0, ""]);
  expect(JSON.parse(deployed.stdout)).toMatchObject({ state: "completed", by: "token ci" });
  const status = await run("status", "--json");
  expect(JSON.parse(status.stdout)).toMatchObject({ services: [{ service: "web" }] });

  const refused = await run("token", "create", "more", "--role", "admin");
  expect([refused.code, refused.stderr]).toEqual([7, expect.stringContaining("forbidden")]);
  const wrong = await elsewhere(api.address, `${secret.slice(0, -2)}xx`, "status");
  expect([wrong.code, wrong.stderr]).toEqual([7, expect.stringContaining("unauthorized")]);
  const none = await elsewhere(api.address, "", "status");
  expect([none.code, none.stderr]).toEqual([7, expect.stringContaining("TEAL_TOKEN is not set")]);
  const local = await elsewhere(api.address, secret, "down", "--yes", "--url", "http://127.0.0.1:1");
  expect([local.code, local.stderr]).toEqual([2, expect.stringContaining("leave out --url")]);
});

test("the API over TCP is there while a token is, through a crash of the server, and ends its streams with it", async () => {
  await using site = await siteWithApi();
  const before = await site.cli("token", "list");
  expect(before.stdout).toContain("no tokens");
  const { secret, api, token } = await created(site, "watcher", "--role", "viewer");
  expect(await statusAt(api.address ?? "")).toBe(401);
  for (const verb of ["abort", "resume", "approve"]) {
    const refused = await elsewhere(api.address, secret, verb);
    expect([refused.code, refused.stderr]).toEqual([7, expect.stringContaining("forbidden")]);
  }

  const { server } = await site.pids();
  if (server === null) throw new Error("no server runs");
  process.kill(server, "SIGKILL");
  const address = await site.until("it answers again", async () => {
    const now = (await site.pids()).server;
    const answer = now === null || now === server ? null : await site.client.tokens();
    return answer?.api.address ?? null;
  });
  const listed = JSON.parse((await site.cli("token", "list", "--json")).stdout) as TokensAnswer;
  expect(listed.tokens).toEqual([{ ...token, usedAt: listed.tokens[0]?.usedAt }]);

  const headers = { authorization: `Bearer ${secret}` };
  const stream = request(`http://${address}/v1/events`, { agent: false, headers }).end();
  const [response] = (await once(stream, "response")) as [IncomingMessage];
  expect(response.statusCode).toBe(200);
  response.resume();
  const ended = once(response, "end");
  const revoked = await site.cli("token", "revoke", "watcher", "--reason", "leaked");
  expect(revoked.code).toBe(0);
  await ended;
  await site.until("nothing listens there", async () => (await statusAt(address)) === "ECONNREFUSED");
  const types: string[] = [];
  for await (const { type, data } of site.client.events({ after: 0, follow: false }))
    if (type.startsWith("token-")) types.push(`${type} ${String(data["name"])} ${String(data["reason"])}`);
  expect(types).toEqual(["token-created watcher null", "token-revoked watcher leaked"]);
});

test("an address that somebody else has is told, and the API goes on over its socket", async () => {
  const stranger = createServer().listen(0, "127.0.0.1");
  await once(stranger, "listening");
  const bound = stranger.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : 0;
  try {
    await using site = await siteWithApi(`127.0.0.1:${String(port)}`);
    const { api } = await created(site, "ci", "--role", "viewer");
    expect(api).toEqual({ address: null, problem: expect.stringContaining(`127.0.0.1:${String(port)}: it is taken`) });
    expect((await site.cli("status")).code).toBe(0);
    expect(await site.log("server")).toContain("port-taken");
    stranger.close();
    await once(stranger, "close");
    expect((await site.client.tokens()).api).toEqual({ address: `127.0.0.1:${String(port)}`, problem: null });
  } finally {
    stranger.close();
  }
});
