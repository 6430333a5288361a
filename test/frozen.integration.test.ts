import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { DeploymentState } from "../src/model/deployment.ts";
import { connectPeer } from "../src/wire/connect.ts";
import { PROXY_PROTOCOL } from "../src/wire/proxy.ts";
import { proxySockets } from "../src/wire/proxy-sockets.ts";
import { Site } from "./site.ts";

type Side = "blue" | "green";

/** Says who answers; sick while there is a file that names its environment. */
const APP = `import { existsSync } from "node:fs";
import { createServer } from "node:http";
const { PORT, HOST, TEAL_VERSION, TEAL_ENVIRONMENT, LEDGER_DIR } = process.env;
const server = createServer((request, response) => {
  const isSick = request.url === "/health" && existsSync(LEDGER_DIR + "/sick-" + TEAL_ENVIRONMENT);
  response.writeHead(isSick ? 503 : 200).end(TEAL_VERSION);
});
server.listen(Number(PORT), HOST);
process.on("SIGTERM", () => process.exit(0));
`;

async function sick(site: Site, side: Side): Promise<void> {
  await writeFile(join(site.ledgers, `sick-${side}`), "");
  await healthOf(site, side, false);
}

async function well(site: Site, side: Side): Promise<void> {
  await rm(join(site.ledgers, `sick-${side}`));
}

/** As the proxy sees it. */
async function healthOf(site: Site, side: Side, is: boolean): Promise<void> {
  await site.until(`${side} is ${is ? "well" : "sick"}`, async () => {
    const found = (await site.service()).environments.find(({ name }) => name === side);
    return (
      found !== undefined && found.instances.length === 2 && found.instances.every(({ healthy }) => healthy === is)
    );
  });
}

/** As the proxy sees it while no server does. */
async function seenWell(site: Site, side: Side): Promise<void> {
  const [socket] = proxySockets(site.paths);
  const proxy = await connectPeer(socket?.path ?? "", PROXY_PROTOCOL, { down: "data-plane-down" });
  try {
    await site.until(`${side} is well`, async () => {
      const { instances } = await proxy.call("observe", { service: "web" });
      return instances.filter(({ environment }) => environment === side).every(({ healthy }) => healthy);
    });
  } finally {
    proxy.close();
  }
}

/** v1 on blue, and v2, on green, with half of the traffic for as long as the test needs. */
async function shifting(site: Site): Promise<string> {
  await writeFile(join(site.dir, "app", "fickle.js"), APP);
  const environment = { command: "node fickle.js" };
  await site.configure({ environment });
  expect((await site.deployed("v1")).state).toBe("completed");
  await site.configure({ environment, deploy: { shift: [{ weight: 50, for: "10m" }] } });
  const id = await site.deploy("v2");
  await site.until("50 %", async () => (await site.service()).observed?.["green"] === 50);
  return id;
}

/** The same, aborted while blue is sick. */
async function frozen(site: Site): Promise<string> {
  const id = await shifting(site);
  await sick(site, "blue");
  const { code, stdout } = await site.cli("abort", "--reason", "wrong version");
  expect([code, stdout]).toEqual([1, expect.stringContaining("is frozen: blue has no healthy instance")]);
  expect(await stateOf(site, id)).toBe("frozen");
  return id;
}

const stateOf = async (site: Site, id: string): Promise<DeploymentState> => (await site.client.deployment(id)).state;

/** Versions that answer now; every request is answered. */
async function answering(site: Site): Promise<string[]> {
  const answers = await Promise.all(
    Array.from({ length: 40 }, async () => {
      const response = await fetch(site.url);
      expect(response.status).toBe(200);
      return response.text();
    }),
  );
  return [...new Set(answers)].toSorted();
}

async function warnings(site: Site): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const { type, data } of site.client.events({ after: 0, follow: false }))
    if (type === "warning" && data["code"] === "unhealthy") found.push(data);
  return found;
}

async function killServer(site: Site): Promise<void> {
  const { server } = await site.pids();
  if (server === null) throw new Error("no server runs");
  process.kill(server, "SIGKILL");
  await site.until("the next server answers", async () => {
    const now = (await site.pids()).server;
    return now !== null && now !== server && (await site.service());
  });
}

test("a deployment that should go back to a sick environment is frozen, says so with its ways out, also under the next server, and ends when that is well", async () => {
  await using site = await Site.up();
  const id = await frozen(site);
  expect(await site.service()).toMatchObject({ observed: { blue: 50, green: 50 }, deployment: { state: "frozen" } });
  // Half of the requests are blue's by the split: green answers them.
  expect(await answering(site)).toEqual(["v2"]);
  const alarm = {
    code: "unhealthy",
    message: "blue has no healthy instance, so the traffic stays on green: going back would be worse",
    remedy: expect.stringMatching(/Mend blue.*teal resume.*teal traffic --set blue=100,green=0 --force.*teal abort/),
  };
  expect(await warnings(site)).toEqual([alarm]);
  const told = await site.cli("status");
  expect([told.code, told.stdout]).toEqual([0, expect.stringMatching(/deploy is frozen/)]);
  expect(told.stdout.replaceAll(/\s+/g, " ")).toMatch(/on hold blue has no healthy instance.*teal abort/);

  const refused = await site.cli("resume");
  expect([refused.code, refused.stderr]).toEqual([6, expect.stringContaining("unhealthy")]);
  const superseding = await site.cli("deploy", "--version", "v3", "--supersede", "--yes");
  expect([superseding.code, superseding.stderr]).toEqual([6, expect.stringContaining("is frozen")]);
  const rollback = await site.cli("rollback", "--yes");
  expect([rollback.code, rollback.stderr]).toEqual([6, expect.stringContaining("is frozen")]);

  await killServer(site);
  await site.until("it says so again", async () => (await site.service()).deployment?.hold?.kind === "frozen");
  expect(await answering(site)).toEqual(["v2"]);
  await well(site, "blue");
  expect((await site.ended(id)).state).toBe("aborted");
  expect(await site.service()).toMatchObject({ active: "blue", traffic: { blue: 100, green: 0 }, deployment: null });
  expect(await answering(site)).toEqual(["v1"]);
  expect(await warnings(site)).toEqual([alarm]);
  await site.configure({ environment: { command: "node fickle.js" } });
  expect((await site.deployed("v4")).state).toBe("completed");
});

test("a frozen deployment whose old environment becomes well while no server runs is taken back by the next one", async () => {
  await using site = await Site.up();
  const id = await frozen(site);
  const { keeper, server } = await site.pids();
  // Without its keeper nobody starts a server before the health has come back.
  process.kill(keeper, "SIGSTOP");
  try {
    process.kill(server ?? 0, "SIGKILL");
    await well(site, "blue");
    await seenWell(site, "blue");
  } finally {
    process.kill(keeper, "SIGCONT");
  }
  expect((await site.ended(id)).state).toBe("aborted");
  expect(await site.service()).toMatchObject({ active: "blue", traffic: { blue: 100, green: 0 } });
  expect(await answering(site)).toEqual(["v1"]);
});

test("resume takes a frozen deployment back as soon as the old environment is well", async () => {
  await using site = await Site.up();
  const id = await frozen(site);
  await well(site, "blue");
  // It also goes back by itself, and then there is nothing to resume.
  const { code, stderr } = await site.until("resume is not refused", async () => {
    const result = await site.cli("resume", "--reason", "blue is mended");
    return result.code === 6 && result.stderr.includes("[unhealthy]") ? null : result;
  });
  expect([code, stderr]).toEqual(
    code === 0 ? [0, ""] : [6, expect.stringMatching(/nothing-to-resume|deployment-ended/)],
  );
  expect((await site.ended(id)).state).toBe("aborted");
  expect(await answering(site)).toEqual(["v1"]);
});

test("abort ends a frozen deployment where it stands, and switch says who gets the traffic", async () => {
  await using site = await Site.up();
  const id = await frozen(site);
  const { code, stdout } = await site.cli("abort");
  expect([code, stdout]).toEqual([0, expect.stringContaining("the traffic stays: blue 50 %, green 50 %")]);
  expect(await stateOf(site, id)).toBe("failed");
  expect(await answering(site)).toEqual(["v2"]);
  expect((await site.cli("switch", "--to", "green", "--yes")).code).toBe(0);
  expect(await site.service()).toMatchObject({ active: "green", traffic: { blue: 0, green: 100 }, deployment: null });
});

test("traffic --set --force moves the traffic of a frozen deployment all the same", async () => {
  await using site = await Site.up();
  const id = await frozen(site);
  expect((await site.cli("traffic", "--set", "blue=100,green=0", "--yes")).code).toBe(6);
  expect((await site.cli("traffic", "--set", "blue=100,green=0", "--force", "--yes")).code).toBe(0);
  expect((await site.ended(id)).state).toBe("aborted");
  expect(await site.service()).toMatchObject({ active: "blue", traffic: { blue: 100, green: 0 } });
  await well(site, "blue");
  await healthOf(site, "blue", true);
  expect(await answering(site)).toEqual(["v1"]);
});

test("where neither environment is healthy an abort gives the traffic back, with a warning; it is served when the old one is well", async () => {
  await using site = await Site.up();
  const id = await shifting(site);
  await sick(site, "blue");
  await sick(site, "green");
  const { code, stdout } = await site.cli("abort");
  expect([code, stdout]).toEqual([0, expect.stringContaining("aborted")]);
  expect(await stateOf(site, id)).toBe("aborted");
  const message = "the traffic is back on blue, which has no healthy instance; green had none either";
  expect(await warnings(site)).toEqual([expect.objectContaining({ message })]);
  expect(await site.service()).toMatchObject({ active: "blue", traffic: { blue: 100, green: 0 } });
  const waiting = fetch(site.url);
  await well(site, "blue");
  const answer = await waiting;
  expect([answer.status, await answer.text()]).toEqual([200, "v1"]);
});
