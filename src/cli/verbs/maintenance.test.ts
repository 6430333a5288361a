import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { problem } from "../../sdk/fixtures.ts";
import { CliRig, serviceStatus, status } from "../fixtures.ts";

let rig: CliRig;
beforeEach(async () => {
  rig = await CliRig.start();
});
afterEach(() => rig.close());

describe("maintenance", () => {
  const answer = { service: "web", since: 1, until: null, endsIn: "off", by: "ada", reason: null, changed: true };
  const canned = (mode: string, more: object = {}): void => {
    rig.server.json("POST /v1/services/web/maintenance", { ...answer, mode, warnings: [], ...more });
  };
  const body = (): unknown => rig.server.asked.find(({ method }) => method === "POST")?.body;

  it("asks for the mode with the reason, and says what holds then", async () => {
    canned("on");
    const { exit, stdout } = await rig.run(["maintenance", "on", "--reason", "moving"]);
    expect([exit, stdout]).toEqual([0, "web: requests get the maintenance page.\n"]);
    expect(body()).toEqual({ mode: "on", close: false, reason: "moving" });
  });

  it("takes the time and the end of a hold, and prints JSON", async () => {
    const warnings = ["a plain page is served"];
    canned("hold", { until: Date.now() + 30_000, warnings });
    const ran = await rig.run(["maintenance", "hold", "web", "--for", "30s", "--ends-in", "on", "--close", "--json"]);
    expect(ran.exit).toBe(0);
    expect(JSON.parse(ran.stdout)).toMatchObject({ service: "web", mode: "hold", warnings });
    expect(ran.stderr).toBe("Note: a plain page is served\n");
    expect(body()).toEqual({ mode: "hold", seconds: 30, endsIn: "on", close: true, reason: null });
  });

  it.each([
    [["maintenance"]],
    [["maintenance", "pause"]],
    [["maintenance", "on", "--for", "30s"]],
    [["maintenance", "off", "--ends-in", "on"]],
    [["maintenance", "hold", "--for", "2d"]],
    [["maintenance", "hold", "--for", "0s"]],
    [["maintenance", "hold", "--ends-in", "hold"]],
  ])("%j is exit 2, and asks nothing of the server", async (argv) => {
    expect((await rig.run(argv)).exit).toBe(2);
    expect(rig.server.asked).toEqual([]);
  });

  it.each([
    ["unsupported", 422, 2],
    ["no-release", 409, 6],
    ["data-plane-down", 503, 1],
  ])("passes %s on as its exit code", async (code, httpStatus, exit) => {
    rig.server.json("POST /v1/services/web/maintenance", problem(code, "not here", httpStatus), httpStatus);
    expect((await rig.run(["maintenance", "on"])).exit).toBe(exit);
  });

  it("is in the status until it is off", async () => {
    const since = Date.now() - 180_000;
    const maintenance = {
      mode: "hold",
      live: "on",
      since,
      until: since + 300_000,
      endsIn: "off",
      by: "ada",
      reason: "db",
    };
    rig.server.json("GET /v1/status", status(serviceStatus("web", { maintenance } as never)));
    const { stdout } = await rig.run(["status"]);
    expect(stdout).toMatch(
      /maintenance +hold: requests wait, by ada 3 min ago \(db\); ends in 2 min, then the app gets the requests; the proxy still has on/,
    );
    rig.server.json("GET /v1/status", status());
    expect((await rig.run(["status"])).stdout).not.toContain("maintenance");
  });
});
