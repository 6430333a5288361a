import { describe, expect, it } from "vitest";
import { ConfigFolder, service } from "./fixtures.ts";

type Expected = readonly [path: string, line: number | null, part: string];

/** A service whose environment has these lines; the first is line 5. */
function environment(...lines: readonly string[]): string {
  return ["version: 1", "services:", "  web:", "    environment:", ...lines.map((line) => `      ${line}`), ""].join(
    "\n",
  );
}

const RUN = "command: ./run";
const web = (rest: string) => `services.web.${rest}`;

const YAML: Record<string, [string | Uint8Array, Expected[]]> = {
  "an empty file": ["", [["", null, "is empty"]]],
  "only a comment": ["# nothing\n", [["", null, "is empty"]]],
  "a list": ["- a\n", [["", 1, "is a list, not a map"]]],
  "a syntax error": ["version: 1\nservices: [1\nb: c\n", [["", 3, "is not valid YAML: "]]],
  "a tab": ["version: 1\nservices:\n\tweb: 1\n", [["", 3, "not by tabs"]]],
  "two documents": ["version: 1\n---\nversion: 1\n", [["", 2, "more than one YAML document"]]],
  "an unknown tag": [service("notify: !secret []"), [["", 5, "unresolved tag: !secret"]]],
  "unknown anchors": [
    service("health: *nope", "deploy: *no"),
    [
      ["", 5, "has the alias *nope, but no anchor &nope"],
      ["", 6, "has the alias *no, but no anchor &no"],
    ],
  ],
  "a key that is a list": ["version: 1\n? [a]\n: b\n", [["", 2, "is not valid YAML: "]]],
  "a key twice": [
    environment(RUN, "count: 1", "count: 2", "countt: 3"),
    [
      [web("environment.count"), 7, "is there twice"],
      [web("environment.countt"), 8, "did you mean count?"],
    ],
  ],
  "a service twice": [`${service()}  web:\n    environment: { command: a }\n`, [["services.web", 5, "is there twice"]]],
  "bytes that are not UTF-8": [new Uint8Array([0x61, 0xff, 0xfe]), [["", null, "is not text in UTF-8"]]],
  "a huge file": ["#".repeat((16 << 20) + 1), [["", null, "has more than 16777216 bytes"]]],
  "an alias bomb": [bomb(), [["", null, "Excessive alias count"]]],
  "an alias of itself": [service("deploy: &d { shift: *d }"), [[web("deploy.shift"), 5, "is a map, not a list"]]],
  "a key that no object can have": [
    environment(RUN, "env: { __proto__: x }"),
    [[web("environment.env.__proto__"), 6, "not a possible key"]],
  ],
};

function bomb(): string {
  const names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
  const lines = names.map(
    (name, index) =>
      `${name}: &${name} [${Array(9)
        .fill(index === 0 ? "x" : `*${String(names[index - 1])}`)
        .join(", ")}]`,
  );
  return ["version: 1", ...lines, ""].join("\n");
}

const TOP: Record<string, [string, Expected[]]> = {
  "no version, no services": [
    "proxy: {}\n",
    [
      ["version", 1, "is missing"],
      ["services", 1, "is missing; it is a map"],
    ],
  ],
  "another version": [service().replace("1", "2"), [["version", 1, "is 2; this Teal reads version 1"]]],
  "the version as text": [service().replace("1", '"1"'), [["version", 1, 'is "1"; this Teal reads version 1']]],
  "no service": ["version: 1\nservices: {}\n", [["services", 2, "describe at least one service"]]],
  "services left empty": ["version: 1\nservices:\n", [["services", 2, "has no value; it must be a map"]]],
  "services as a list": ["version: 1\nservices:\n  - web\n", [["services", 2, "is a list, not a map"]]],
  "unknown keys": [
    `proxi: {}\n${service()}zzz: 1\n`,
    [
      ["proxi", 1, "is not a known key; did you mean proxy?"],
      ["zzz", 6, "is not a known key; known are version, proxy, server, services"],
    ],
  ],
  "service names": [
    "version: 1\nservices:\n  -a: { environment: { command: x }, traffic: { paths: [/a] } }\n  a..b: { environment: { command: x } }\n",
    [
      ["services.-a", 3, "is not a name"],
      ["services.a..b", 4, "is not a name"],
    ],
  ],
  addresses: [
    `proxy:\n  listen:\n    - localhost:80\n    - 8080\n    - 127.0.0.1:70000\n    - 1.2.3.4.5:1\n    - "[::1]"\n    - ":80"\n    - "[::g]:1"\n${service()}`,
    [
      ["proxy.listen[0]", 3, "write a numeric address and a port"],
      ["proxy.listen[1]", 4, "must be text, not 8080"],
      ["proxy.listen[2]", 5, "a port is at most 65535"],
      ["proxy.listen[3]", 6, "write a numeric address"],
      ["proxy.listen[4]", 7, "write a numeric address"],
      ["proxy.listen[5]", 8, "write a numeric address"],
      ["proxy.listen[6]", 9, "write a numeric address"],
    ],
  ],
  "no address": [`proxy: { listen: [] }\n${service()}`, [["proxy.listen", 1, "is an empty list"]]],
  "the same address twice": [
    `proxy: { listen: ["127.0.0.1:80", "127.0.0.1:80"] }\n${service()}`,
    [["proxy.listen[1]", 1, "cannot stand beside 127.0.0.1:80"]],
  ],
  "an address within another": [
    `proxy: { listen: ["0.0.0.0:80", "127.0.0.1:80"] }\n${service()}`,
    [["proxy.listen[1]", 1, "cannot stand beside 0.0.0.0:80"]],
  ],
  "services that claim the same path": [
    `${service("traffic:", "  hosts: [a.example, B.example]", "  paths: [/, /api/]")}  api:\n    environment: { command: x }\n    traffic: { hosts: [b.example], paths: [/x, /api] }\n`,
    [["services.api.traffic.paths[1]", 10, "/api on b.example is also a path of web"]],
  ],
  "services that claim everything": [
    `${service()}  api:\n    environment: { command: x }\n`,
    [["services.api.traffic.paths[0]", 5, "/ on every host is also a path of web"]],
  ],
};

const ENVIRONMENT: Record<string, [string, Expected[]]> = {
  "no environment": ["version: 1\nservices:\n  web: {}\n", [[web("environment"), 3, "is missing; it is a map"]]],
  "a service left empty": ["version: 1\nservices:\n  web:\n", [["services.web", 3, "has no value; it must be a map"]]],
  "no command": [environment("count: 1"), [[web("environment.command"), 4, "is missing"]]],
  "an empty command": [environment('command: " "'), [[web("environment.command"), 5, "is empty"]]],
  "an empty list": [environment("command: []"), [[web("environment.command"), 5, "is empty"]]],
  "a number in a command": [
    environment("command: [node, 1]"),
    [[web("environment.command"), 5, "must be a list of texts"]],
  ],
  "a command that is a map": [
    environment("command: { a: b }"),
    [[web("environment.command"), 5, "must be text or a list of texts"]],
  ],
  "NUL in a command": [environment('command: "a\\0"'), [[web("environment.command"), 5, "NUL"]]],
  "references in commands": [
    [
      environment("command: 'run ${env:TOKEN} $HOME ${HOME:-x}'"),
      "    deploy: { validate: { smoke: [./s, '${file:./x}'] } }\n",
      "    database: { url: x, expand: 'm ${env:URL}', contract: 'm ${file:y}' }\n",
    ].join(""),
    [
      [web("environment.command"), 5, "never inside commands"],
      [web("deploy.validate.smoke[1]"), 6, "never inside commands"],
      [web("database.expand"), 7, "never inside commands"],
      [web("database.contract"), 7, "never inside commands"],
    ],
  ],
  "an unknown driver": [
    environment(RUN, "driver: proces"),
    [[web("environment.driver"), 6, "must be one of process, container; did you mean process?"]],
  ],
  counts: [environment(RUN, "count: 0"), [[web("environment.count"), 6, "is 0, outside 1 to 1000"]]],
  "a count in words": [environment(RUN, "count: two"), [[web("environment.count"), 6, 'is "two", not a whole number']]],
  "a broken count": [environment(RUN, "count: 1.5"), [[web("environment.count"), 6, "is 1.5, not a whole number"]]],
  variables: [
    environment(RUN, "env:", "  1A: x", "  PORT: 80", "  TEAL_X: y", "  EMPTY:", "  LIST: [a]", '  NUL: "\\0"'),
    [
      [web("environment.env.1A"), 7, "is not a name for a variable"],
      [web("environment.env.PORT"), 8, "is set by Teal itself"],
      [web("environment.env.TEAL_X"), 9, "is set by Teal itself"],
      [web("environment.env.EMPTY"), 10, "has no value"],
      [web("environment.env.LIST"), 11, "must be text, not a list"],
      [web("environment.env.NUL"), 12, "NUL"],
    ],
  ],
  "broken references": [
    environment(RUN, "env:", "  A: ${foo:x}", "  B: ${HOME}", "  C: ${env:X", "  D: ${env:1}", "  E: '${file:}'"),
    [
      [web("environment.env.A"), 7, "only ${env:X} and ${file:P} are substituted"],
      [web("environment.env.B"), 8, "did you mean ${env:HOME}?"],
      [web("environment.env.C"), 9, "without its closing }"],
      [web("environment.env.D"), 10, "does not name an environment variable"],
      [web("environment.env.E"), 11, "does not name a file"],
    ],
  ],
  "a missing reference among other problems": [
    environment(RUN, "env: { A: '${env:NOPE}' }", "count: 0"),
    [
      [web("environment.env.A"), 6, "needs the environment variable NOPE, which is not set"],
      [web("environment.count"), 7, "is 0"],
    ],
  ],
  "env files": [
    environment(RUN, "envFiles:", "  - ./none.env", "  - 3", "  - ."),
    [
      [web("environment.envFiles[0]"), 7, "none.env, which does not exist"],
      [web("environment.envFiles[1]"), 8, "must be the path of a file"],
      [web("environment.envFiles[2]"), 9, "is not a regular file"],
    ],
  ],
  "a list that is a text": [
    environment(RUN, "envFiles: prod.env"),
    [[web("environment.envFiles"), 6, 'is "prod.env", not a list']],
  ],
  stop: [
    environment(RUN, "stop: { signal: SIGTREM, timeout: 2d }"),
    [
      [web("environment.stop.signal"), 6, "did you mean SIGTERM?"],
      [web("environment.stop.timeout"), 6, "outside 0 to 1d"],
    ],
  ],
  user: [environment(RUN, "user: 'a b'"), [[web("environment.user"), 6, "neither the name nor the number of a user"]]],
};

const SECTIONS: Record<string, [string, Expected[]]> = {
  "a missing release folder": [service("release: { dir: ./nope }"), [[web("release.dir"), 5, "which does not exist"]]],
  "a release folder that is a file": [
    service("release: { dir: teal.yaml }"),
    [[web("release.dir"), 5, "which is not a folder"]],
  ],
  "a release elsewhere": [
    service("release: { git: 'https://u:p@example.com/x' }"),
    [[web("release.git"), 5, "clone it first"]],
  ],
  "two sources": [service("release: { dir: ., git: . }"), [[web("release.git"), 5, "cannot stand beside dir"]]],
  "no source": [service("release: {}"), [[web("release"), 5, "names no source"]]],
  "a path without git": [service("release: { dir: ., path: app }"), [[web("release.path"), 5, "only goes with git"]]],
  "a path out of the repository": [
    service("release: { git: ., path: ../x }"),
    [[web("release.path"), 5, "stay inside it"]],
  ],
  "durations without unit": [
    service("health:", "  interval: 5", "  timeout: '5'", "  deadline: 1 minute"),
    [
      [web("health.interval"), 6, "a duration without a unit; write for example 5s"],
      [web("health.timeout"), 7, 'is "5", not a duration'],
      [web("health.deadline"), 8, 'is "1 minute", not a duration'],
    ],
  ],
  "durations out of range": [
    service("health: { interval: 1ms }", "traffic: { drain: -1s, longLived: 8d }", "deploy: { bake: 0.1ms }"),
    [
      [web("health.interval"), 5, "outside 10ms to 1h"],
      [web("traffic.drain"), 6, "not a duration"],
      [web("traffic.longLived"), 6, "outside 0 to 7d"],
      [web("deploy.bake"), 7, "not a duration"],
    ],
  ],
  "health that cannot be reached": [
    service("health: { timeout: 2s, deadline: 1s, pth: / }"),
    [
      [web("health.timeout"), 5, "is longer than deadline"],
      [web("health.pth"), 5, "did you mean path?"],
    ],
  ],
  "more checks than the deadline has time for": [
    service("health: { interval: 10s, healthyAfter: 10 }"),
    [[web("health.deadline"), 5, "is shorter than healthyAfter × interval"]],
  ],
  "health counts": [
    service("health: { healthyAfter: 0, unhealthyAfter: 0, status: 99 }"),
    [
      [web("health.healthyAfter"), 5, "is 0, outside 1 to 1000"],
      [web("health.unhealthyAfter"), 5, "is 0, outside 1 to 1000"],
      [web("health.status"), 5, "is 99, outside 200 to 599"],
    ],
  ],
  "a path that is none": [service("health: { path: health }"), [[web("health.path"), 5, "a path begins with /"]]],
  "a section left empty": [service("health:"), [[web("health"), 5, "has no value; it must be a map"]]],
  "a value left empty": [service("deploy:", "  bake:"), [[web("deploy.bake"), 6, "has no value"]]],
  "a reference elsewhere": [
    service("health: { path: '/${env:P}' }"),
    [[web("health.path"), 5, "substituted only in env, database.url, notify"]],
  ],
  traffic: [
    service(
      "traffic:",
      "  hosts: ['a:80', '*.b', a_b.c, a_b.C]",
      "  paths: [api, /a//b, /a/../b, /x?y]",
      "  driver: balanced",
      "  onControllerLoss: stop",
    ),
    [
      [web("traffic.hosts[0]"), 6, "without a port"],
      [web("traffic.hosts[1]"), 6, "without wildcards"],
      [web("traffic.hosts[3]"), 6, "a_b.c is in the list twice"],
      [web("traffic.paths[0]"), 7, "begins with /"],
      [web("traffic.paths[1]"), 7, "no empty, . or .. segments"],
      [web("traffic.paths[2]"), 7, "no empty, . or .. segments"],
      [web("traffic.paths[3]"), 7, "no query"],
      [web("traffic.driver"), 8, "must be one of embedded, balancer; did you mean balancer?"],
      [web("traffic.onControllerLoss"), 9, "must be one of revert, keep"],
    ],
  ],
  affinity: [
    `${service("traffic: { affinity: clientaddress }")}  b: { environment: { command: a }, traffic: { paths: [/b], affinity: { cooky: s } } }
  c: { environment: { command: a }, traffic: { paths: [/c], affinity: { cookie: s, header: h } } }
  d: { environment: { command: a }, traffic: { paths: [/d], affinity: { header: "a b" } } }
  e: { environment: { command: a }, traffic: { paths: [/e], affinity: { cookie: 5 } } }
  f: { environment: { command: a }, traffic: { paths: [/f], affinity: [] } }
  g: { environment: { command: a }, traffic: { paths: [/g], affinity: } }
`,
    [
      [web("traffic.affinity"), 5, "write none, clientAddress, { cookie: NAME } or { header: NAME }; did you mean"],
      ["services.b.traffic.affinity", 6, "has the unknown key cooky; write none, clientAddress"],
      ["services.c.traffic.affinity", 7, "is not a map of one key"],
      ["services.d.traffic.affinity", 8, 'header is "a b", not a name such as session'],
      ["services.e.traffic.affinity", 9, "cookie is 5, not a name"],
      ["services.f.traffic.affinity", 10, "is a list; write none"],
      ["services.g.traffic.affinity", 11, "has no value"],
    ],
  ],
  "no path": [service("traffic: { paths: [] }"), [[web("traffic.paths"), 5, "is an empty list"]]],
  weights: [
    service(
      "deploy:",
      "  shift:",
      "    - { weight: 50, for: 1m }",
      "    - { weight: 10, for: 1m }",
      "    - { weight: 50.5, for: 1m }",
      "    - { weight: 100 }",
      "    - { weight: 50, for: 1m }",
    ),
    [
      [web("deploy.shift[1].weight"), 8, "is 10, not above the 50 before it"],
      [web("deploy.shift[2].weight"), 9, "is 50.5, not a whole number"],
      [web("deploy.shift[3].for"), 10, "is missing"],
      [web("deploy.shift[3].weight"), 10, "is 100, outside 1 to 99"],
      [web("deploy.shift[4].weight"), 11, "is 50, not above"],
    ],
  ],
  guardrails: [
    service(
      "deploy:",
      "  guardrails:",
      "    minRequests: 0",
      "    errorRate: { warn: 5, hold: 101%, rollBack: 0% }",
      "    latency: { p95: { warn: 1x, hold: fast }, p90: {} }",
      "    alpha: 0",
      "    worseThanActive: revert",
    ),
    [
      [web("deploy.guardrails.minRequests"), 7, "is 0"],
      [web("deploy.guardrails.errorRate.warn"), 8, "is 5, not a percentage"],
      [web("deploy.guardrails.errorRate.hold"), 8, "outside 0%"],
      [web("deploy.guardrails.errorRate.rollBack"), 8, "outside 0%"],
      [web("deploy.guardrails.latency.p95.warn"), 9, "a factor must be above 1x"],
      [web("deploy.guardrails.latency.p95.hold"), 9, "neither a duration"],
      [web("deploy.guardrails.latency.p90"), 9, "is not a known key"],
      [web("deploy.guardrails.alpha"), 10, "outside 0 (excluded) to 0.1"],
      [web("deploy.guardrails.worseThanActive"), 11, "must be one of none, warn, hold, rollBack"],
    ],
  ],
  "evidence that cannot come, and a wait for none": [
    service("deploy:", "  advance: evidence", "  guardrails: { errorRate: {}, latency: {} }"),
    [[web("deploy.advance"), 6, "needs a limit in guardrails.errorRate or latency"]],
  ],
  "a wait for nothing": [
    service("deploy:", "  maxWait: 5m"),
    [[web("deploy.maxWait"), 6, "does nothing unless advance is evidence or both"]],
  ],
  "guardrails in the wrong order": [
    service(
      "deploy:",
      "  guardrails:",
      "    errorRate: { warn: 6%, rollBack: 5%, x: 1 }",
      "    latency: { p50: { warn: 3x, rollBack: 2x }, p95: { hold: 2s, rollBack: 1s }, p99: { warn: 9s, rollBack: 2x } }",
    ),
    [
      [web("deploy.guardrails.errorRate.warn"), 7, "is above rollBack"],
      [web("deploy.guardrails.errorRate.x"), 7, "is not a known key"],
      [web("deploy.guardrails.latency.p50.warn"), 8, "is above rollBack"],
      [web("deploy.guardrails.latency.p95.hold"), 8, "is above rollBack"],
    ],
  ],
  validation: [
    service(
      "deploy:",
      "  validate:",
      "    endpoint: ready",
      "    smoke: ''",
      "    checks: [{}, { path: /, within: 10m, body: '' }]",
      "    deadline: 5m",
    ),
    [
      [web("deploy.validate.endpoint"), 7, "a path begins with /"],
      [web("deploy.validate.smoke"), 8, "is empty"],
      [web("deploy.validate.checks[0].path"), 9, "is missing"],
      [web("deploy.validate.checks[1].body"), 9, "is empty"],
    ],
  ],
  "a check that outlasts validation": [
    service("deploy: { validate: { checks: [{ path: /, within: 2m }], deadline: 1m } }"),
    [[web("deploy.validate.checks[0].within"), 5, "is longer than the deadline of validation"]],
  ],
  approval: [service("deploy: { approval: yes }"), [[web("deploy.approval"), 5, "must be one of none, beforeShift"]]],
  database: [
    service("database: { expand: 3 }"),
    [
      [web("database.url"), 5, "is missing"],
      [web("database.expand"), 5, "must be text, not 3"],
    ],
  ],
  "a webhook that is no address": [
    service("notify: [{ webhook: 'ftp://x' }]"),
    [[web("notify[0].webhook"), 5, "is not an http:// or https:// address"]],
  ],
};

describe("a broken teal.yaml", () => {
  describe.each(Object.entries({ YAML, TOP, ENVIRONMENT, SECTIONS }))("%s", (_, cases) => {
    it.each(Object.entries(cases))("%s", async (_name, [text, expected]) => {
      using folder = new ConfigFolder();
      const error = await folder.refused(text);
      expect(error.code).toBe("config-invalid");
      const byPath = (a: readonly unknown[], b: readonly unknown[]) => String(a[0]).localeCompare(String(b[0]));
      const found = error.problems.map(({ path, line, message }) => {
        const [, , part] = expected.find((one) => one[0] === path && message.includes(one[2])) ?? [];
        return [path, line, part ?? message] as const;
      });
      expect(found.toSorted(byPath)).toEqual(expected.toSorted(byPath));
    });
  });

  it.each(["[", "{a: ", "- ", "? "])("nested without end (%s) is refused, not a crash", async (opening) => {
    using folder = new ConfigFolder();
    expect((await folder.refused(`version: 1\nservices:\n  ${opening.repeat(20_000)}`)).code).toBe("config-invalid");
  });

  it("is told in one message, each problem with file, line and path, in the order of lines", async () => {
    using folder = new ConfigFolder();
    const error = await folder.refused(
      service("health:", "  interval: 5", "  pth: /").replace("version: 1", "version: 3"),
    );
    expect(error.message).toBe(
      [
        "teal.yaml has 3 problems:",
        "teal.yaml:1: version: is 3; this Teal reads version 1 of teal.yaml: write version: 1",
        "teal.yaml:6: services.web.health.interval: is 5, a duration without a unit; write for example 5s",
        "teal.yaml:7: services.web.health.pth: is not a known key; did you mean path?",
      ].join("\n"),
    );
  });

  it("tells once what services share by an alias, and each one's own trouble", async () => {
    using folder = new ConfigFolder();
    const text = `${service("health: &h { interval: 5 }")}  api: { environment: { command: a, count: 0 }, health: *h, traffic: { paths: [/api] } }\n`;
    const { problems } = await folder.refused(text);
    expect(problems.map(({ path, line }) => [path, line])).toEqual([
      ["services.web.health.interval", 5],
      ["services.api.environment.count", 6],
    ]);
  });

  it("finds the line of a value that came by a merge", async () => {
    using folder = new ConfigFolder();
    const text = `${service("health: &h", "  interval: 5s", "  status: 700")}  api:\n    health: { <<: *h, path: x }\n    environment: { command: a }\n    traffic: { paths: [/api] }\n`;
    const { problems } = await folder.refused(text);
    expect(problems.map(({ path, line }) => [path, line])).toEqual([
      ["services.web.health.status", 7],
      ["services.api.health.path", 9],
    ]);
  });
});
