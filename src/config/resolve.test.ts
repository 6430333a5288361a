import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ConfigFolder, service } from "./fixtures.ts";
import { resolveValue, resolveVariables, sha256 } from "./resolve.ts";

const spec = {
  driver: "process",
  command: "./run",
  count: 1,
  env: {},
  envFiles: [],
  stop: { signal: "SIGTERM", timeoutMs: 1 },
  user: null,
} as const;

describe("resolveValue", () => {
  it("gives what the value was when it was frozen", async () => {
    using folder = new ConfigFolder({ "a.txt": "from a file\r\n" });
    const text = service().replace("./run", () => "./run, env: { A: '${env:X}, ${file:a.txt}, $${Y}' }");
    const value = (await folder.load(text, { variables: { X: "x" } })).services["web"]?.environment.env["A"] ?? "";
    const resolved = resolveValue(value, { X: "x" });
    expect(resolved).toBe("x, from a file, ${Y}");
    expect(value).toMatchObject({ hash: sha256(resolved) });
  });

  it("leaves literal text alone, whatever it looks like", () => {
    expect(resolveValue("${env:X}", {})).toBe("${env:X}");
  });

  it("names what is missing, and never takes what objects have by themselves", () => {
    expect(() => resolveValue({ template: "${env:toString} ${env:B}", hash: "" }, {})).toThrow(
      expect.objectContaining({
        code: "secret-missing",
        problems: [{ path: "", line: null, message: expect.stringContaining("toString") }, expect.anything()],
      }),
    );
  });

  it("takes an empty variable for one that is set", () => {
    expect(resolveValue({ template: "<${env:E}>", hash: "" }, { E: "" })).toBe("<>");
  });
});

describe("resolveVariables", () => {
  it("lays later files over earlier ones, and env over all", async () => {
    using folder = new ConfigFolder({ "a.env": "A=a\nB=a\nC=a\n", "b.env": "# comment\nB='b b'\nC=b\n" });
    const envFiles = ["a.env", "b.env"].map((name) => ({ path: join(folder.path, name), hash: "" }));
    const env = { C: { template: "${env:X}", hash: "" }, D: "literal" };
    expect(await resolveVariables({ ...spec, env, envFiles }, { X: "x" })).toEqual({
      A: "a",
      B: "b b",
      C: "x",
      D: "literal",
    });
  });

  it("names everything that is missing at once, and where", async () => {
    const env = { A: { template: "${env:X}${file:/nope/f}", hash: "" }, B: { template: "${env:Y}", hash: "" } };
    await expect(
      resolveVariables({ ...spec, env, envFiles: [{ path: "/nope/e", hash: "" }] }, {}),
    ).rejects.toMatchObject({
      code: "secret-missing",
      message: [
        "environment.envFiles: needs the file /nope/e, which does not exist",
        "environment.env.A: needs the environment variable X, which is not set",
        "environment.env.A: needs the file /nope/f, which does not exist",
        "environment.env.B: needs the environment variable Y, which is not set",
      ].join("\n"),
    });
  });
});
