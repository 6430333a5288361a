import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TealError } from "../model/error.ts";
import { event, eventually, problem } from "../sdk/fixtures.ts";
import { CliRig, config, deployment, receipt, serviceStatus, status } from "./fixtures.ts";

let rig: CliRig;
beforeEach(async () => {
  rig = await CliRig.start();
});
afterEach(() => rig.close());

describe("status", () => {
  it("says in one line how a service was delivered, as far as there is something to say", async () => {
    const dora = {
      windowDays: 30,
      observedDays: 30,
      deployments: 12,
      deploymentsPerDay: 0.4,
      leadTimeSeconds: 11_100,
      changes: 13,
      failures: 1,
      changeFailureRate: 0.077,
      timeToRestoreSeconds: 41,
    };
    const shown = async (over: object): Promise<string> => {
      rig.server.json("GET /v1/status", status(serviceStatus("web", { dora: { ...dora, ...over } })));
      return (await rig.run(["status"])).stdout;
    };
    expect(await shown({})).toMatch(
      /^ {2}delivery +12 deploys in 30 d, lead time 3 h 5 min, 8 % failed, back in 41 s$/m,
    );
    const young = { observedDays: 0.5, deployments: 1, leadTimeSeconds: null, timeToRestoreSeconds: null };
    expect(await shown(young)).toMatch(/^ {2}delivery +1 deploy in 12 h, 8 % failed$/m);
    expect(await shown({ deployments: 0, changes: 0 })).not.toMatch(/delivery/);
  });

  it("shows what is active, the split, health and rollback", async () => {
    const retirement = { environment: "green", at: Date.now() + 23 * 3_600_000 };
    const green = { name: "green", version: "v0", state: "ready" as const, instances: [] };
    const { environments } = serviceStatus();
    rig.server.json(
      "GET /v1/status",
      status(serviceStatus("web", { retirement, environments: [...environments.slice(0, 1), green] })),
    );
    const { exit, stdout } = await rig.run(["status"]);
    expect(exit).toBe(0);
    expect(stdout).toMatch(/web {2}v1 is active on blue/);
    expect(stdout).toMatch(/blue +█{20} +100 % +v1 +ready +2 of 2 healthy/);
    expect(stdout).toMatch(/rollback +safe, about 1 s: green is warm/);
    expect(stdout).toMatch(/retirement +green in 23 h/);
    expect(stdout).not.toContain("\u001B");
  });

  it("prints exactly one JSON document", async () => {
    const { stdout, stderr } = await rig.run(["status", "--json"]);
    expect(JSON.parse(stdout)).toEqual(status());
    expect(stderr).toBe("");
  });

  it("takes one service, and refuses one that is not there", async () => {
    rig.server.json("GET /v1/status", status(serviceStatus("web"), serviceStatus("api")));
    const { stdout } = await rig.run(["status", "api", "--json"]);
    expect((JSON.parse(stdout) as { services: { service: string }[] }).services.map(({ service }) => service)).toEqual([
      "api",
    ]);
    const wrong = await rig.run(["status", "wbe"]);
    expect(wrong).toMatchObject({ exit: 2, stdout: "" });
    expect(wrong.stderr).toMatch(/there is no service wbe; there are web, api/);
  });

  it("is exit 1 with the remedy when no server runs", async () => {
    await rig.server.stop();
    const { exit, stderr, stdout } = await rig.run(["status"]);
    expect({ exit, stdout }).toEqual({ exit: 1, stdout: "" });
    expect(stderr).toMatch(/teal up --detach/);
  });

  it("colours on a terminal alone, and heeds NO_COLOR and FORCE_COLOR", async () => {
    const escape = "\u001B[";
    expect((await rig.run(["status"], { terminal: true })).stdout).toContain(escape);
    expect((await rig.run(["status"], { terminal: true, env: { NO_COLOR: "1" } })).stdout).not.toContain(escape);
    expect((await rig.run(["status"], { env: { CI: "true" } })).stdout).not.toContain(escape);
    expect((await rig.run(["status"], { env: { FORCE_COLOR: "1" } })).stdout).toContain(escape);
  });
});

describe("deploy", () => {
  beforeEach(() => {
    rig.server.json("POST /v1/services/web/deployments", { id: "dep_1" }, 202);
  });

  it.each([
    ["completed", 0],
    ["rolled-back", 3],
    ["aborted", 4],
    ["failed", 1],
    ["frozen", 1],
  ] as const)("that ends %s is exit %i", async (state, exit) => {
    rig.server.json("GET /v1/deployments/dep_1", deployment(state));
    expect((await rig.run(["deploy", "--version", "v2"])).exit).toBe(exit);
  });

  it("that a safety rule ended is exit 6", async () => {
    const cause = { kind: "failure" as const, code: "unhealthy", message: "green is not healthy" };
    rig.server.json("GET /v1/deployments/dep_1", deployment("failed", { cause }));
    const { exit, stdout } = await rig.run(["deploy", "--version", "v2"]);
    expect(exit).toBe(6);
    expect(stdout).toMatch(/green is not healthy \[unhealthy\]/);
  });

  it("sends the values of teal.yaml's references that are set, version, reason, and a key", async () => {
    rig.server.json("GET /v1/deployments/dep_1", deployment("completed"));
    const options = { env: { DB_URL: "postgres://x", OTHER: "secret" } };
    await rig.run(["deploy", "web", "--version", "v2", "--supersede", "--reason", "why not"], options);
    const asked = rig.server.asked.find(({ method }) => method === "POST");
    expect(asked?.body).toEqual({
      version: "v2",
      supersede: true,
      reason: "why not",
      variables: { DB_URL: "postgres://x" },
    });
    expect(asked?.headers["idempotency-key"]).toBe("key-1");
  });

  it("follows the events to the end, across a break of the stream", async () => {
    let current = deployment("running");
    rig.server.on("GET /v1/deployments/dep_1", () => ({ json: current }));
    const running = rig.run(["deploy", "--version", "v2"]);
    await eventually(() => rig.server.asked.some(({ path }) => path === "/v1/deployments/dep_1"), "the snapshot");
    const notes = { goal: "deploy", warnings: ["With one instance, a crash is an outage."] };
    rig.server.emit(event(0, "deployment-accepted", notes));
    rig.server.emit(event(1, "step-completed", { title: "Start 2 instances on green", tookMs: 1_234 }, "start"));
    await eventually(() => rig.stdout().includes("done in 1.2 s"), "the first event");
    rig.server.cutStreams();
    rig.server.emit(
      event(2, "step-failed", { title: "Give green traffic", code: "drift", message: "while away" }, "shift-100"),
    );
    await eventually(() => rig.server.streams === 1, "a second stream");
    current = deployment("completed", { receipts: [receipt()] });
    rig.server.emit(event(3, "deployment-state", { from: "running", to: "completed", cause: null }));
    const { exit, stdout } = await running;
    expect(exit).toBe(0);
    expect(stdout).toMatch(/Give green traffic: failed: while away \[drift\]/);
    expect(stdout).toMatch(/^2023-11-14T22:13:20Z deploy v2: blue → green accepted as dep_1$/m);
    expect(stdout).toMatch(/^\S+ Note: With one instance, a crash is an outage\.$/m);
    expect(stdout).toMatch(/Start 2 instances on green: done in 1.2 s/);
    expect(stdout).toMatch(/switched blue → green: 12 in flight, 12 drained, 0 cut, failed or refused/);
    expect(stdout).toMatch(/v2 on green has all the traffic/);
  });

  it("sees the end by asking when it happened while the stream was away", async () => {
    let current = deployment("running");
    rig.server.on("GET /v1/deployments/dep_1", () => ({ json: current }));
    const running = rig.run(["deploy", "--version", "v2", "--json"]);
    await eventually(() => rig.server.asked.some(({ path }) => path === "/v1/deployments/dep_1"), "the snapshot");
    current = deployment("rolled-back");
    await rig.server.stop();
    await rig.server.listen();
    const { exit, stdout } = await running;
    expect(exit).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ id: "dep_1", state: "rolled-back" });
  });

  it("keeps waiting while it bakes, and draws on a terminal", async () => {
    let current = deployment("running");
    rig.server.on("GET /v1/deployments/dep_1", () => ({ json: current }));
    const running = rig.run(["deploy", "--version", "v2", "--yes"], { terminal: true, env: { NO_COLOR: "1" } });
    await eventually(() => rig.server.asked.some(({ path }) => path === "/v1/deployments/dep_1"), "the snapshot");
    rig.server.emit(event(1, "split-applied", { weights: { blue: 90, green: 10 }, generation: 4 }));
    rig.server.emit(event(2, "deployment-state", { from: "running", to: "baking", cause: null }));
    await eventually(() => /baking/.test(rig.stdout()), "it is drawn");
    current = deployment("completed");
    rig.server.emit(event(3, "deployment-state", { from: "baking", to: "completed", cause: null }));
    const { exit, stdout } = await running;
    expect(exit).toBe(0);
    expect(stdout).toMatch(/blue 90 % █+▓+ green 10 %/);
    expect(stdout).toMatch(/baking/);
    expect(stdout.endsWith("`teal rollback`.\n")).toBe(true);
    expect(stdout.indexOf("\u001B[?25l")).toBeLessThan(stdout.indexOf("\u001B[?25h"));
  });

  it("with Ctrl-C leaves it going, says how to come back, and is exit 0", async () => {
    rig.server.json("GET /v1/deployments/dep_1", deployment("running"));
    const running = rig.run(["deploy", "--version", "v2"]);
    await eventually(() => rig.server.asked.some(({ path }) => path === "/v1/deployments/dep_1"), "the snapshot");
    rig.signal("SIGINT");
    const { exit, stderr } = await running;
    expect(exit).toBe(0);
    expect(stderr).toMatch(/dep_1 goes on\.\n.*teal status.*teal events --follow.*teal abort/);
    await eventually(() => rig.server.streams === 0, "no stream left");
    expect(rig.listens).toBe(false);
  });

  it("with SIGTERM leaves it going too, with exit 143", async () => {
    rig.server.json("GET /v1/deployments/dep_1", deployment("running"));
    const running = rig.run(["deploy", "--version", "v2"]);
    await eventually(() => rig.server.asked.some(({ path }) => path === "/v1/deployments/dep_1"), "the snapshot");
    rig.signal("SIGTERM");
    expect((await running).exit).toBe(143);
  });

  it("with --no-wait returns as soon as it is accepted, and is exit 5 at an approval", async () => {
    rig.server.json("GET /v1/deployments/dep_1", deployment("running"));
    const { exit, stdout } = await rig.run(["deploy", "--version", "v2", "--no-wait"]);
    expect(exit).toBe(0);
    expect(stdout).toMatch(/deploy dep_1 is running/);
    expect(rig.server.asked.some(({ path }) => path === "/v1/events")).toBe(false);
    rig.server.json("GET /v1/deployments/dep_1", deployment("waiting"));
    expect((await rig.run(["deploy", "--version", "v2", "--no-wait"])).exit).toBe(5);
  });

  it("with --no-wait and a gate ahead goes on until it waits there", async () => {
    const steps = deployment("running").steps.map((step) => ({ ...step, uses: "approval@1" }));
    let current = deployment("running", { steps });
    rig.server.on("GET /v1/deployments/dep_1", () => ({ json: current }));
    const running = rig.run(["deploy", "--version", "v2", "--no-wait"]);
    await eventually(() => rig.server.streams === 1, "it listens");
    current = deployment("waiting", { steps });
    rig.server.emit(event(1, "deployment-state", { from: "running", to: "waiting", cause: null }));
    const { exit, stdout } = await running;
    expect(exit).toBe(5);
    expect(stdout).toMatch(/dep_1 waits for an approval: `teal approve`/);
  });

  it("tells all problems of teal.yaml before it talks to the server", async () => {
    const problems = [
      { path: "services.web.health.interval", line: 9, message: "is 5, a duration without a unit" },
      { path: "services.web.colour", line: 12, message: "is unknown" },
    ];
    rig.parts = {
      ...rig.parts,
      loadConfig: () => Promise.reject(new TealError("config-invalid", "teal.yaml has 2 problems", { problems })),
    };
    const { exit, stderr } = await rig.run(["deploy", "--version", "v2"]);
    expect(exit).toBe(2);
    expect(stderr).toMatch(/line 9, services\.web\.health\.interval: is 5/);
    expect(stderr).toMatch(/line 12, services\.web\.colour: is unknown/);
    expect(rig.server.asked).toEqual([]);
  });

  it("wants the service named where there are several", async () => {
    rig.parts = { ...rig.parts, loadConfig: () => Promise.resolve(config({ web: {}, api: {} })) };
    const { exit, stderr } = await rig.run(["deploy", "--version", "v2"]);
    expect(exit).toBe(2);
    expect(stderr).toMatch(/name the service: there are web, api/);
  });

  it.each([
    ["deployment-running", 409, 6],
    ["forbidden", 403, 7],
    ["config-invalid", 422, 2],
    ["data-plane-down", 503, 1],
  ])("passes the server's refusal %s on as its exit code", async (code, httpStatus, exit) => {
    rig.server.json("POST /v1/services/web/deployments", problem(code, "not now", httpStatus), httpStatus);
    const ran = await rig.run(["deploy", "--version", "v2"]);
    expect(ran.exit).toBe(exit);
    expect(ran.stderr).toMatch(`not now [${code}]\nmend ${code}`);
  });
});

describe("switch, rollback, abort", () => {
  it("switches and tells the receipt", async () => {
    rig.server.json("POST /v1/services/web/switch", { id: "dep_1", state: "completed", receipt: receipt() });
    rig.server.json(
      "GET /v1/deployments/dep_1",
      deployment("completed", { goal: "switch", receipts: [receipt({ cut: 2 })] }),
    );
    const { exit, stdout } = await rig.run(["switch", "--to", "green", "--force"]);
    expect(exit).toBe(0);
    expect(stdout).toMatch(/12 drained, 2 cut$/m);
    expect(rig.server.asked.find(({ method }) => method === "POST")?.body).toEqual({
      to: "green",
      force: true,
      reason: null,
    });
  });

  it("is exit 0 when a rollback aborted what was under way: that is what was asked", async () => {
    rig.server.json("POST /v1/services/web/rollback", { id: "dep_1", state: "rolling-back", receipt: null });
    rig.server.json("GET /v1/deployments/dep_1", deployment("aborted"));
    expect((await rig.run(["rollback"])).exit).toBe(0);
  });

  it("is exit 6 when there is nothing to roll back to", async () => {
    rig.server.json("POST /v1/services/web/rollback", problem("nothing-to-roll-back-to", "v1 is the first", 409), 409);
    expect((await rig.run(["rollback"])).exit).toBe(6);
  });

  it("aborts the deployment under way, and is exit 6 without one", async () => {
    expect((await rig.run(["abort"])).exit).toBe(6);
    const running = { goal: "deploy" as const, state: "running" as const, hold: null };
    const under = { ...running, id: "dep_1", step: "start", startedAt: 1 };
    rig.server.json("GET /v1/status", status(serviceStatus("web", { deployment: under })));
    rig.server.json("POST /v1/deployments/dep_1/abort", deployment("rolling-back"));
    rig.server.json("GET /v1/deployments/dep_1", deployment("aborted"));
    const { exit } = await rig.run(["abort", "--reason", "wrong one"]);
    expect(exit).toBe(0);
    expect(rig.server.asked.find(({ method }) => method === "POST")?.body).toEqual({ reason: "wrong one" });
  });
});

describe("plan", () => {
  const answer = {
    goal: "deploy",
    service: "web",
    from: "blue",
    to: "green",
    steps: [
      { id: "start", uses: "start@1", title: "Start 2 instances", touches: [], expectedSeconds: 0.2, worstSeconds: 60 },
    ],
    worstRollbackSeconds: 31,
    warnings: ["Nothing is validated."],
    changes: [{ path: "environment.count", before: "2", after: "3" }],
    releases: { from: "v1", to: "v2" },
  };

  it("prints steps, times, changes and warnings", async () => {
    rig.server.json("POST /v1/services/web/plans", answer);
    const { exit, stdout } = await rig.run(["plan", "deploy", "--version", "v2"], { env: { DB_URL: "x" } });
    expect(exit).toBe(0);
    expect(stdout).toMatch(/^web {2}deploy {2}v1 → v2 {2}blue → green$/m);
    expect(stdout).toMatch(/1 {2}Start 2 instances {2}200 ms {2}1 min/);
    expect(stdout).toMatch(/going back takes at most 31 s/);
    expect(stdout).toMatch(/Changes environment.count: 2 → 3/);
    expect(rig.server.asked.at(-1)?.body).toEqual({ goal: "deploy", version: "v2", variables: { DB_URL: "x" } });
  });

  it.each([
    [["plan", "deploy"], /needs --version/],
    [["plan", "switch"], /needs --to/],
    [["plan", "explode"], /Allowed choices are deploy, switch, rollback, retire/],
  ])("refuses %j", async (argv, message) => {
    const { exit, stderr } = await rig.run(argv);
    expect(exit).toBe(2);
    expect(stderr).toMatch(message);
  });
});

describe("history, env list, events, logs", () => {
  it("lists deployments", async () => {
    const row = {
      deployment: "dep_1",
      goal: "deploy",
      from: "blue",
      to: "green",
      version: "v2",
      state: "rolled-back",
      by: "ann",
      reason: null,
    };
    const startedAt = Date.now() - 3 * 60_000;
    rig.server.json("GET /v1/services/web/history", { history: [{ ...row, startedAt, endedAt: startedAt + 4_000 }] });
    const { stdout } = await rig.run(["history", "--limit", "5"]);
    expect(stdout).toMatch(/3 min ago +deploy v2 +blue → green +rolled-back +4 s +ann +dep_1/);
    expect(rig.server.asked.at(-1)?.query.get("limit")).toBe("5");
    const narrow = await rig.run(["history"], { terminal: true, columns: 60, env: { NO_COLOR: "1" } });
    expect(narrow.stdout).not.toMatch(/dep_1/);
    expect((await rig.run(["history"], { terminal: true, columns: 120 })).stdout).toMatch(/dep_1/);
  });

  it("says below a deployment why it was taken back, and by whose word", async () => {
    const row = { deployment: "dep_1", goal: "deploy", from: "blue", to: "green", version: "v2", by: "ann" };
    const times = { startedAt: 1_700_000_000_000, endedAt: 1_700_000_004_000 };
    const message = "green: 34 % of 120 requests failed, above 5 %";
    const verdict = { kind: "verdict", code: "guardrail-breached", message };
    const abort = { kind: "abort", by: "bob", reason: "wrong version" };
    rig.server.json("GET /v1/services/web/history", {
      history: [
        { ...row, ...times, state: "aborted", reason: "wrong version", cause: abort },
        { ...row, ...times, state: "rolled-back", reason: "new checkout", cause: verdict },
      ],
    });
    const { stdout } = await rig.run(["history"], { terminal: true, columns: 60, env: { NO_COLOR: "1" } });
    const lines = stdout.split("\n");
    expect(lines[2]).toBe("    aborted by bob: wrong version");
    expect(lines[1]).not.toContain("wrong version");
    expect(lines.slice(4, 6)).toEqual([
      "    green: 34 % of 120 requests failed, above 5 %",
      "    [guardrail-breached]",
    ]);
    expect(JSON.parse((await rig.run(["history", "--json"])).stdout)).toMatchObject({
      history: [{ cause: abort }, { cause: verdict }],
    });
  });

  it("lists environments with role and weight", async () => {
    const { stdout } = await rig.run(["env", "list", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      environments: [
        { service: "web", name: "blue", role: "active", weight: 100 },
        { name: "green", role: "standby", weight: 0 },
      ],
    });
    const text = (await rig.run(["env", "list"])).stdout;
    expect(text).toMatch(/^blue +active +100 % +v1 +ready +100 +127\.0\.0\.1:20000 +healthy/m);
  });

  it("prints events, one JSON object a line, of one service", async () => {
    rig.server.emit(event(1, "split-applied", { weights: { blue: 100 } }), {
      ...event(2, "warning", {}),
      service: "api",
    });
    const { stdout } = await rig.run(["events", "web", "--json"]);
    const rows = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { seq: number });
    expect(rows.map(({ seq }) => seq)).toEqual([1]);
    expect((await rig.run(["events", "--after", "0"])).stdout).toMatch(
      /^2023-11-14T22:13:21Z +1 web {2}traffic: blue 100 %$/m,
    );
  });

  it("follows events until Ctrl-C, which is exit 0", async () => {
    const running = rig.run(["events", "--follow"]);
    await eventually(() => rig.server.streams === 1, "a stream");
    rig.signal("SIGINT");
    expect((await running).exit).toBe(0);
  });

  it("takes one word for the environment where there is one service", async () => {
    const line = { at: 1_700_000_000_000, instance: "web/blue/v1/0", text: "hello" };
    rig.server.json("GET /v1/services/web/logs", `${JSON.stringify(line)}\n`);
    const { stdout } = await rig.run(["logs", "blue", "-n", "5"]);
    expect(stdout).toBe("2023-11-14T22:13:20Z blue/0 hello\n");
    expect(Object.fromEntries(rig.server.asked.at(-1)?.query ?? [])).toEqual({
      environment: "blue",
      lines: "5",
      follow: "false",
    });
    const wrong = await rig.run(["logs", "rde"]);
    expect(wrong.exit).toBe(2);
    expect(wrong.stderr).toMatch(/web has no environment rde; it has blue, green/);
  });
});

describe("check", () => {
  it("is exit 0 for a good file and exit 2 with every problem for a bad one", async () => {
    expect(await rig.run(["check"])).toMatchObject({ exit: 0, stdout: expect.stringContaining("is good: web") });
    const problems = [{ path: "services", line: 2, message: "is missing" }];
    rig.parts = {
      ...rig.parts,
      loadConfig: () => Promise.reject(new TealError("config-invalid", "1 problem", { problems })),
    };
    const { exit, stdout, stderr } = await rig.run(["check", "--json"]);
    expect({ exit, stderr }).toEqual({ exit: 2, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, problems });
  });

  it("warns of what is no error, and is exit 0 all the same", async () => {
    const warnings = [{ service: "web", message: "`&&` does not do what it seems to" }];
    rig.parts = { ...rig.parts, cautions: () => Promise.resolve(warnings) };
    const told = await rig.run(["check"]);
    expect(told).toMatchObject({ exit: 0, stdout: expect.stringContaining("\nwarning: web: `&&` does not") });
    expect(JSON.parse((await rig.run(["check", "--json"])).stdout)).toMatchObject({ ok: true, warnings });
  });

  it("finds teal.yaml in a folder above, and says so when there is none", async () => {
    const { exit, stderr } = await rig.run(["check", "--config", "nowhere/teal.yaml", "--json"]);
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
  });
});

describe("up and down", () => {
  const result = {
    already: false,
    pid: 7,
    runtime: "1.2.3-aa",
    packageRuntime: "1.2.3-aa",
    upgradedFrom: null,
    processes: [{ process: "keeper" as const, pid: 7, runtime: "1.2.3-aa", draining: false }],
    listeners: [{ listen: "127.0.0.1:0", address: "127.0.0.1:1234" }],
    socket: "/x/teal.sock",
  };
  let downs: unknown[];
  let end: PromiseWithResolvers<"stopped" | "died">;
  beforeEach(() => {
    downs = [];
    end = Promise.withResolvers();
    rig.parts = {
      ...rig.parts,
      up: () => Promise.resolve(result),
      down: (options) => {
        downs.push(options.drainMs);
        return Promise.resolve({ stopped: true });
      },
      ended: (_config, signal) => {
        signal.addEventListener("abort", () => {
          end.reject(signal.reason);
        });
        return end.promise;
      },
    };
  });

  it("returns when detached, and says where traffic comes in and what to do next", async () => {
    const { exit, stdout } = await rig.run(["up", "--detach"]);
    expect(exit).toBe(0);
    expect(stdout).toMatch(/Teal is up; traffic comes in at 127\.0\.0\.1:1234/);
    expect(stdout).toMatch(/teal deploy --version V`/);
    expect(JSON.parse((await rig.run(["up", "--detach", "--json"])).stdout)).toEqual(result);
  });

  it("that waits for another one's start asks for no start of its own, does not stay, and says nothing", async () => {
    const starters: unknown[] = [];
    rig.parts = {
      ...rig.parts,
      up: ({ starter }) => {
        starters.push(starter);
        return Promise.resolve(result);
      },
    };
    expect(await rig.run(["up", "--wait-for", "4711"])).toEqual({ exit: 0, stdout: "", stderr: "" });
    expect(starters).toEqual([4_711]);
  });

  it("warns beside the answer where it is the first process of a container, and of --detach there", async () => {
    const first = await rig.run(["up", "--detach", "--json"], { pid: 1 });
    expect(first.stderr).toMatch(/PID 1.*reaps no orphans.*--detach.*\n.*docker run --init/);
    expect(JSON.parse(first.stdout)).toEqual(result);
    expect((await rig.run(["up", "--detach"], { pid: 2 })).stderr).toBe("");
  });

  it("returns when it was up already, and tells of another version", async () => {
    rig.parts = { ...rig.parts, up: () => Promise.resolve({ ...result, already: true, packageRuntime: "1.3.0-bb" }) };
    const { exit, stdout } = await rig.run(["up"]);
    expect(exit).toBe(0);
    expect(stdout).toMatch(/already up/);
    expect(stdout).toMatch(/It runs 1\.2\.3-aa, this is 1\.3\.0-bb/);
  });

  it("in the foreground prints events, and drains and stops on SIGTERM without asking", async () => {
    const running = rig.run(["up", "--json"]);
    await eventually(() => rig.server.streams === 1, "a stream");
    rig.server.emit(event(1, "warning", { message: "look" }));
    await eventually(() => rig.stdout().includes("look"), "the event");
    rig.signal("SIGTERM");
    const { exit, stdout } = await running;
    expect(exit).toBe(0);
    expect(downs).toEqual([30_000]);
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => Object.keys(JSON.parse(line) as object)[0]),
    ).toEqual(["already", "seq"]);
    expect(rig.listens).toBe(false);
  });

  it("in the foreground ends when Teal has ended", async () => {
    const running = rig.run(["up"]);
    await eventually(() => rig.server.streams === 1, "a stream");
    end.resolve("stopped");
    const { exit, stderr } = await running;
    expect(exit).toBe(0);
    expect(stderr).toMatch(/Teal was stopped/);
    expect(downs).toEqual([]);
  });

  it("takes down with the drain asked for, else the longest of teal.yaml, at most 10 s", async () => {
    const spec = (drainMs: number): unknown => ({ traffic: { drainMs }, environment: { stop: { timeoutMs: 1 } } });
    rig.parts = { ...rig.parts, loadConfig: () => Promise.resolve(config({ a: spec(2_000), b: spec(4_000) })) };
    await rig.run(["down"]);
    rig.parts = { ...rig.parts, loadConfig: () => Promise.resolve(config({ a: spec(60_000) })) };
    await rig.run(["down"]);
    rig.parts = { ...rig.parts, loadConfig: () => Promise.reject(new TealError("config-invalid", "broken")) };
    await rig.run(["down"]);
    const { stdout } = await rig.run(["down", "--drain", "1m", "--json"]);
    expect(downs).toEqual([4_000, 10_000, 10_000, 60_000]);
    expect(JSON.parse(stdout)).toMatchObject({ stopped: true });
  });

  it("takes down where nothing runs: exit 0", async () => {
    rig.parts = {
      ...rig.parts,
      down: () => Promise.resolve({ stopped: false }),
      loadConfig: () => Promise.reject(new TealError("config-missing", "none")),
    };
    const { exit, stdout } = await rig.run(["down"]);
    expect(exit).toBe(0);
    expect(stdout).toMatch(/not running here/);
  });
});
