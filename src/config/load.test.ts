import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DEFAULT_PROXY_SETTINGS } from "../model/proxy-settings.ts";
import { loadConfig } from "./load.ts";
import { ConfigFolder, DRIVERS, service } from "./fixtures.ts";
import { sha256 } from "./resolve.ts";

describe("loadConfig", () => {
  it("fills in every default", async () => {
    using folder = new ConfigFolder();
    const config = await folder.load(service());
    expect(config).toEqual({
      file: join(folder.path, "teal.yaml"),
      directory: folder.path,
      proxy: { listen: ["127.0.0.1:8080"], settings: DEFAULT_PROXY_SETTINGS },
      server: { listen: "127.0.0.1:8325", hosts: [] },
      references: [],
      services: {
        web: {
          name: "web",
          release: { kind: "none", dir: folder.path },
          environment: {
            driver: "process",
            command: "./run",
            count: 1,
            env: {},
            envFiles: [],
            stop: { signal: "SIGTERM", timeoutMs: 30_000 },
            user: null,
          },
          health: {
            path: "/health",
            status: 200,
            intervalMs: 1000,
            timeoutMs: 500,
            healthyAfter: 2,
            unhealthyAfter: 3,
            deadlineMs: 60_000,
          },
          traffic: {
            driver: "embedded",
            hosts: [],
            paths: ["/"],
            drainMs: 30_000,
            longLivedMs: 300_000,
            onControllerLoss: "revert",
          },
          deploy: {
            validate: { endpoint: null, smoke: null, checks: [], deadlineMs: 300_000 },
            approval: "none",
            shift: [
              { weight: 10, forMs: 60_000 },
              { weight: 50, forMs: 60_000 },
            ],
            guardrails: {
              minRequests: 1,
              alpha: 0.001,
              worseThanActive: "rollBack",
              errorRate: { warn: 0.03, rollBack: 0.05 },
              latency: { p50: { warn: { factor: 1.5 } }, p95: { warn: { ms: 1_000 }, rollBack: { factor: 2 } } },
            },
            bakeMs: 900_000,
            keepStandbyMs: 86_400_000,
            keepReleases: 5,
          },
          database: null,
          notify: [],
        },
      },
    });
  });

  it("a map that is given replaces the default of its key whole", async () => {
    using folder = new ConfigFolder();
    const text = service("deploy: { shift: [], guardrails: { errorRate: { hold: 0.5% }, latency: {} }, bake: 0 }");
    const { deploy } = (await folder.load(text)).services["web"] ?? {};
    expect(deploy).toMatchObject({ shift: [], bakeMs: 0 });
    expect(deploy?.guardrails).toEqual({
      minRequests: 1,
      alpha: 0.001,
      errorRate: { hold: 0.005 },
      worseThanActive: "none",
      latency: {},
    });
  });

  it("reads a limit on users who stay away, and refuses what cannot be", async () => {
    using folder = new ConfigFolder();
    const web = async (activeUsers: string, traffic = "traffic: { affinity: { cookie: s } }") =>
      (await folder.load(service(traffic, `deploy: { guardrails: { activeUsers: ${activeUsers} } }`))).services["web"];
    expect((await web("{ warn: 20% }"))?.deploy.guardrails.activeUsers).toEqual({ warn: 0.2, windowMs: 60_000 });
    const problems = async (activeUsers: string, traffic = "traffic: { affinity: { cookie: s } }") =>
      (await folder.refused(service(traffic, `deploy: { guardrails: { activeUsers: ${activeUsers} } }`))).problems?.map(
        ({ path, message }) => `${path.replace("services.web.deploy.guardrails.", "")} ${message}`,
      );
    expect(await problems("{ warn: 20% }", "traffic: {}")).toEqual([
      "activeUsers needs traffic.affinity, which says who is the same user: { cookie: NAME }, { header: NAME } or clientAddress",
    ]);
    expect(await problems("{ warn: 20%, rollBack: 50%, x: 1 }")).toEqual([
      "activeUsers.rollBack is not possible: users stay away for many reasons, so nothing is taken back by their number; hold waits for a person",
      "activeUsers.x is not a known key; known are warn, hold, window",
    ]);
    expect(await problems("{ warn: 50%, hold: 20% }")).toEqual([
      "activeUsers.warn is above hold, so that it would never come first",
    ]);
    expect((await web("{ window: 30s }"))?.deploy.guardrails.activeUsers).toEqual({ warn: 0.2, windowMs: 30_000 });
    expect(await problems("{ warn: 20%, window: 1h }")).toEqual([
      "activeUsers.window is longer than every step of the shift and the bake: it would never be whole",
    ]);
  });

  it("reads probes, whose checks are those of validation unless given", async () => {
    using folder = new ConfigFolder();
    const probes = async (deploy: string) =>
      (await folder.load(service(`deploy: ${deploy}`))).services["web"]?.deploy.probes;
    const plain = { status: 200, body: null, withinMs: null };
    expect(await probes("{}")).toBeUndefined();
    expect(await probes("{ validate: { checks: [{ path: /a }] }, probes: {} }")).toEqual({
      checks: [{ path: "/a", ...plain }],
      everyMs: 1_000,
      timeoutMs: 5_000,
    });
    expect(await probes("{ probes: { checks: [{ path: /b }], every: 200ms, timeout: 1s } }")).toEqual({
      checks: [{ path: "/b", ...plain }],
      everyMs: 200,
      timeoutMs: 1_000,
    });
  });

  it("refuses probes that could not do anything, each at its place", async () => {
    using folder = new ConfigFolder();
    const problems = async (deploy: string) =>
      (await folder.refused(service(`deploy: ${deploy}`))).problems?.map(
        ({ path, message }) => `${path.replace("services.web.deploy.", "")} ${message}`,
      );
    expect(await problems("{ probes: {}, shift: [], bake: 0, guardrails: { errorRate: {}, latency: {} } }")).toEqual([
      "probes have nothing to ask: add checks here, or to deploy.validate",
      "probes need a limit in guardrails.errorRate or latency",
      "probes are never sent: no step watches, as shift has none and bake is 0",
    ]);
    expect(await problems("{ probes: { checks: [{ path: a }], rate: 1, every: 1ms } }")).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^probes.checks\[0\].path is "a"/),
        'probes.every is "1ms", outside 100ms to 1h',
        "probes.rate is not a known key; known are checks, every, timeout",
      ]),
    );
    expect(await problems("{ probes: { checks: [{ path: /, within: 2s }], timeout: 1s } }")).toEqual([
      "probes.timeout is shorter than `within` of a check, which would never be reached",
    ]);
  });

  it("reads a bake with a holdback, and refuses at its own place what cannot be", async () => {
    using folder = new ConfigFolder();
    const { services } = await folder.load(service("deploy: { bake: { for: 5m, holdback: 2 } }"));
    expect(services["web"]?.deploy).toMatchObject({ bakeMs: 300_000, bakeHoldback: 2 });
    const problems = async (deploy: string) =>
      (await folder.refused(service(`deploy: ${deploy}`))).problems?.map(({ path, line, message }) =>
        [path.replace("services.web.deploy.", ""), line, message].join(": "),
      );
    const several = await problems("{ bake: { for: soon, holdback: 11, hold: 1 }, keepReleases: x }");
    expect(several?.toSorted()).toEqual([
      'bake.for: 5: is "soon", not a duration: a number and a unit (ms, s, m, h, d), such as 500ms or 15m',
      "bake.hold: 5: is not a known key; known are for, holdback",
      "bake.holdback: 5: is 11, outside 1 to 10",
      'keepReleases: 5: is "x", not a whole number',
    ]);
    expect(await problems("{ bake: 15 }")).toEqual([
      "bake: 5: is 15, a duration without a unit; write for example 15s",
    ]);
    expect(await problems("{ bake: { holdback: 1 } }")).toEqual(["bake.for: 5: is missing"]);
    expect(await problems("{ bake: { for: 0, holdback: 1 } }")).toEqual([
      "bake.holdback: 5: needs a bake that takes time: `for` is 0",
    ]);
    expect(
      await problems(
        "{ bake: { for: 1m, holdback: 5 }, shift: [{ weight: 96, for: 1s }], guardrails: { errorRate: {}, latency: {} } }",
      ),
    ).toEqual([
      "bake.holdback: 5: needs a limit in guardrails.errorRate or latency to compare by",
      "bake.holdback: 5: leaves 95 % for the new environment, and the shift gives it 96 % before",
    ]);
  });

  it.each([
    ["none", undefined],
    ["clientAddress", "clientAddress"],
    ["{ cookie: Session }", { cookie: "Session" }],
    ["{ header: X-User }", { header: "x-user" }],
  ])("reads the affinity %s", async (written, affinity) => {
    using folder = new ConfigFolder();
    const { services } = await folder.load(service(`traffic: { affinity: ${written} }`));
    expect(services["web"]?.traffic.affinity).toEqual(affinity);
  });

  it("makes paths absolute, from the folder of the file", async () => {
    using folder = new ConfigFolder({ "a.env": "A=1\n", "conf/b.env": "B=2\n" });
    mkdirSync(join(folder.path, "app"));
    const text = service("release: { git: ., path: ./app/ }").replace(
      "{ command: ./run }",
      "{ command: ./run, envFiles: [a.env, ./conf/b.env] }",
    );
    const web = (await folder.load(text)).services["web"];
    expect(web?.release).toEqual({ kind: "git", repository: folder.path, path: "app" });
    expect(web?.environment.envFiles).toEqual([
      { path: join(folder.path, "a.env"), hash: sha256("A=1\n") },
      { path: join(folder.path, "conf/b.env"), hash: sha256("B=2\n") },
    ]);
  });

  it("keeps a secret as reference and hash, never in the clear", async () => {
    using folder = new ConfigFolder({ "hook.url": "https://hooks.example/s3cret\n" });
    const text = service(
      "database: { url: 'pg://${env:DB}/x' }",
      "notify: [{ webhook: '${file:./hook.url}' }]",
    ).replace("{ command: ./run }", () => "{ command: ./run, env: { A: plain, B: 'x${env:ALPHA}', C: '$${env:DB}' } }");
    const config = await folder.load(text, { variables: { DB: "s3cret", ALPHA: "s3cret", UNUSED: "x" } });
    const web = config.services["web"];
    expect(web?.environment.env).toEqual({
      A: "plain",
      B: { template: "x${env:ALPHA}", hash: sha256("xs3cret") },
      C: "${env:DB}",
    });
    expect(web?.database?.url).toEqual({ template: "pg://${env:DB}/x", hash: sha256("pg://s3cret/x") });
    const hook = {
      template: `\${file:${join(folder.path, "hook.url")}}`,
      hash: sha256("https://hooks.example/s3cret"),
    };
    expect(web?.notify).toEqual([{ webhook: hook }]);
    expect(config.references).toEqual(["ALPHA", "DB"]);
    expect(JSON.stringify(config)).not.toContain("s3cret");
  });

  it("names every missing reference, as secret-missing when nothing else is wrong", async () => {
    using folder = new ConfigFolder();
    const text = service("database: { url: '${env:DB}' }", "notify: [{ webhook: '${file:./hook.url} ${env:TOKEN}' }]");
    const error = await folder.refused(text, { variables: { TOKEN: undefined } });
    expect(error.code).toBe("secret-missing");
    expect(error.problems).toEqual([
      { path: "services.web.database.url", line: 5, message: "needs the environment variable DB, which is not set" },
      {
        path: "services.web.notify[0].webhook",
        line: 6,
        message: `needs the file ${join(folder.path, "hook.url")}, which does not exist`,
      },
      {
        path: "services.web.notify[0].webhook",
        line: 6,
        message: "needs the environment variable TOKEN, which is not set",
      },
    ]);
  });

  it("does not show what a reference resolved to when that is wrong", async () => {
    using folder = new ConfigFolder();
    const error = await folder.refused(service("notify: [{ webhook: '${env:HOOK}' }]"), {
      variables: { HOOK: "s3cret" },
    });
    expect(error.code).toBe("config-invalid");
    expect(error.message).not.toContain("s3cret");
  });

  it("takes variables that are numbers, true or false as they are written", async () => {
    using folder = new ConfigFolder();
    const env = "{ A: 1.10, B: true, C: 0x1F, D: 007, E: 12345678901234567890, F: '' }";
    const web = (await folder.load(service().replace("./run", `./run, env: ${env}`))).services["web"];
    expect(web?.environment.env).toEqual({
      A: "1.10",
      B: "true",
      C: "0x1F",
      D: "007",
      E: "12345678901234567890",
      F: "",
    });
  });

  it("understands anchors and merges", async () => {
    using folder = new ConfigFolder();
    const text = `${service("health: &h { interval: 2s, status: 204 }")}  api:\n    environment: { command: a }\n    health: { <<: *h, status: 200 }\n    traffic: { paths: [/api/] }\n`;
    const { services } = await folder.load(text);
    expect(services["api"]?.health).toMatchObject({ intervalMs: 2000, status: 200 });
    expect(services["web"]?.health).toMatchObject({ intervalMs: 2000, status: 204 });
    expect(services["api"]?.traffic.paths).toEqual(["/api"]);
  });

  it("is frozen through and through, with keys in one order whatever the file's", async () => {
    using folder = new ConfigFolder();
    const one = await folder.load(
      service("health: { status: 204, path: /h }", "traffic: { drain: 1s, hosts: [A.example] }"),
    );
    const other = await folder.load(
      service("traffic: { hosts: [a.example], drain: 1000ms }", "health: { path: /h, status: 204 }"),
    );
    expect(JSON.stringify(other)).toBe(JSON.stringify(one));
    const shift = one.services["web"]?.deploy.shift;
    expect(() => Object.assign(shift?.[0] ?? {}, { weight: 1 })).toThrow(TypeError);
    expect(() => Object.assign(one.services, { more: 1 })).toThrow(TypeError);
  });

  it("says when there is no file, or none that can be read", async () => {
    using folder = new ConfigFolder();
    const options = { ...DRIVERS, variables: {} };
    await expect(loadConfig(join(folder.path, "nope.yaml"), options)).rejects.toMatchObject({ code: "config-missing" });
    await expect(loadConfig(folder.path, options)).rejects.toMatchObject({
      code: "config-invalid",
      problems: [{ message: "is not a file" }],
    });
  });
});
