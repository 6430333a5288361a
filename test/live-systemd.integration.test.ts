import { once } from "node:events";
import { stat } from "node:fs/promises";
import { afterAll, describe, expect, test } from "vitest";
import type { Finding } from "../src/main/doctor/finding.ts";
import { isEnded } from "../src/model/deployment.ts";
import { Machine, requiresMachine } from "./machine/machine.ts";
import { DRAIN_S, Shop } from "./machine/shop.ts";
import { OtherPackage } from "./other-package.ts";
import { requires, type Skippable } from "./requires.ts";

/** NoNewPrivs, the one capability that a low port needs (capabilities(7): CAP_NET_BIND_SERVICE is 10), and a filter of system calls. */
const HARDENED = { NoNewPrivs: "1", CapEff: "0000000000000400", CapBnd: "0000000000000400", Seccomp: "2" };

/** Has the port until its input ends. */
const LISTEN = `
  const server = require("node:net").createServer().listen(80, "127.0.0.1", () => console.log("listens"));
  process.stdin.resume().on("end", () => server.close());`;

// One after the other, on one machine: each goes on where the one before has left it.
describe("under a live systemd", () => {
  let machine: Machine | null = null;
  let installed: Shop | null = null;

  /** A machine on which the unit is enabled, and on which it has not yet run. */
  async function shopOf(context: Skippable): Promise<Shop> {
    requiresMachine(context);
    requires(context, "curl");
    if (installed !== null) return installed;
    machine = await Machine.create();
    const shop = await Shop.create(machine);
    await using first = await OtherPackage.install("0.9.0");
    await shop.install(first);
    await machine.boot();
    await shop.enable();
    await machine.powerOff();
    installed = shop;
    return shop;
  }

  afterAll(async () => {
    await machine?.[Symbol.asyncDispose]();
  });

  /** Teal answers, and instances of the active environment are healthy. */
  async function serves(shop: Shop, version: string): Promise<void> {
    await shop.until(`${version} serves`, async () => {
      const answer = await shop.get();
      return answer?.status === 200 && answer.version === version;
    });
  }

  /**
   * How often systemd has had to start the unit again, once the last start is over, which is when Teal is up; the journal,
   * which a failed test shows, says why.
   */
  async function restarts(shop: Shop): Promise<{ times: string; journal: string }> {
    await shop.until("the unit is active", async () => (await shop.property("ActiveState")) === "active");
    const journal = await shop.machine.run("journalctl", "--unit", "teal", "--no-pager", "--lines", "60");
    return { times: await shop.property("NRestarts"), journal: journal.stdout };
  }

  test("the unit starts Teal at boot; it deploys, serves a low port and logs under all of the hardening", async (context) => {
    const shop = await shopOf(context);
    await shop.machine.boot();
    expect(await shop.property("ActiveState")).toBe("active");
    await shop.deployed("v1");
    expect(await shop.get()).toEqual({ status: 200, version: "v1" });

    const { code, stdout } = await shop.machine.run("systemctl", "status", "--no-pager", "--full", "teal");
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/Active: active \(running\)[^]*v1/),
    });
    expect((await shop.machine.run("systemctl", "--failed", "--plain", "--no-legend")).stdout).toBe("");
    const complaints = await shop.machine.run("journalctl", "--unit", "teal", "--priority", "warning", "--quiet");
    expect(complaints.stdout).toBe("");
    expect((await shop.machine.run("journalctl", "--identifier", "teal")).stdout).toContain("Teal is up");
    expect((await shop.teal("logs", "blue")).stdout).toContain("v1 listens on 127.0.0.1");

    expect((await stat(shop.paths.database)).uid).toBe(4_321);
    for (const pid of await shop.unitPids()) expect(await shop.statusOf(pid)).toMatchObject(HARDENED);
    const findings = JSON.parse((await shop.teal("doctor", "--json")).stdout) as { findings: readonly Finding[] };
    expect(findings.findings.find(({ check }) => check === "systemd")).toMatchObject({
      state: "ok",
      message: "teal.service is active, and leaves the apps alone",
    });
    expect(findings.findings.filter(({ state }) => state === "problem")).toEqual([]);
  });

  test("the unit's process, keeper and server are killed: apps and traffic go on, and the unit follows", async (context) => {
    const shop = await shopOf(context);
    const apps = await shop.appPids();
    const { lost, examples, sent } = await shop.underLoad(async () => {
      for (const name of ["main", "keeper", "server"] as const) {
        const before = await shop.pidOf(name);
        await shop.kill(name);
        await shop.until(`another ${name} runs`, async () => {
          const now = await shop.pidOf(name);
          return now !== null && now !== before;
        });
        await shop.until("the API answers", () => shop.client.status());
      }
    });
    expect({ lost, examples }).toEqual({ lost: 0, examples: [] });
    expect(sent).toBeGreaterThan(100);
    expect(await shop.appPids()).toEqual(apps);
    expect(await restarts(shop)).toMatchObject({ times: "1" });
    expect(await shop.unitPids()).toEqual(expect.arrayContaining([await shop.pidOf("keeper"), ...apps]));
  });

  test("everything of the unit is killed: it starts what is on record", async (context) => {
    const shop = await shopOf(context);
    await shop.machine.run("systemctl", "kill", "--signal", "KILL", "teal");
    await serves(shop, "v1");
    expect(await restarts(shop)).toMatchObject({ times: "2" });
  });

  test("a reload after another package was installed upgrades all, and loses nothing; the unit is as before", async (context) => {
    const shop = await shopOf(context);
    await using next = await OtherPackage.install("1.0.0");
    const [apps, main] = [await shop.appPids(), await shop.pidOf("main")];
    const { lost, examples } = await shop.underLoad(async () => {
      await shop.install(next);
      await shop.machine.succeed("systemctl", "reload", "teal");
    });
    expect({ lost, examples }).toEqual({ lost: 0, examples: [] });
    expect((await shop.client.status()).version).toBe(next.runtime);
    expect(await shop.appPids()).toEqual(apps);
    expect(await shop.pidOf("main")).toBe(main);
    expect(await shop.property("ActiveState")).toBe("active");
    expect(await shop.unitPids()).toEqual(expect.arrayContaining([await shop.pidOf("keeper"), ...apps]));
  });

  test.for(["cutPower", "powerOff"] as const)(
    "after a reboot (%s) in a shift the deployment goes on",
    async (how, context) => {
      const shop = await shopOf(context);
      const version = how === "cutPower" ? "v2" : "v8";
      const { id } = await shop.client.deploy("web", { version }, crypto.randomUUID());
      await shop.until("half of the traffic is with it", async () => {
        const { traffic } = await shop.client.service("web");
        return Object.values(traffic).every((weight) => weight === 50);
      });
      await shop.machine[how]();
      await shop.machine.boot();
      const ended = await shop.until(`${id} ends`, async () => {
        const deployment = await shop.client.deployment(id);
        return isEnded(deployment.state) ? deployment : null;
      });
      expect({ state: ended.state, cause: ended.cause }).toEqual({ state: "completed", cause: null });
      await serves(shop, version);
    },
  );

  test("systemctl stop lets a slow request end, also when the package is gone by then, and leaves nothing", async (context) => {
    const shop = await shopOf(context);
    await shop.deployed("slow");
    const asked = shop.get();
    await shop.until("it is in flight", async () => (await shop.inFlight()) === 1);
    await shop.uninstall();
    const began = performance.now();
    await shop.machine.succeed("systemctl", "stop", "teal");
    const tookS = (performance.now() - began) / 1_000;
    expect(await asked).toEqual({ status: 200, version: "slow" });
    expect(tookS).toBeLessThan(DRAIN_S);
    expect(await shop.property("Result")).toBe("success");
    expect(await shop.property("ActiveState")).toBe("inactive");
    expect(await shop.unitPids()).toEqual([]);
    expect(await shop.get()).toBe(null);
  });

  test("systemctl start fails while the port is taken; when it is free, Teal comes by itself", async (context) => {
    const shop = await shopOf(context);
    await using next = await OtherPackage.install("1.0.0");
    await shop.install(next);
    const other = shop.machine.start("/opt/node", "-e", LISTEN);
    await once(other.stdout, "data", { signal: AbortSignal.timeout(20_000) });
    expect(await shop.machine.run("systemctl", "start", "teal")).toMatchObject({ code: 1 });
    const { stdout } = await shop.machine.run("journalctl", "--identifier", "teal", "--lines", "20");
    expect(stdout).toContain("[port-taken]");
    other.stdin.end();
    await shop.machine.until("it is active", async () => (await shop.property("ActiveState")) === "active");
    expect((await shop.client.status()).listeners).toMatchObject([{ address: "127.0.0.1:80" }]);
  });
});
