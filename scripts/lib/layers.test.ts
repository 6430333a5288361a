import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { cycles } from "./cycles.ts";
import { driverNameViolations } from "./driver-names.ts";
import { allImports } from "./imports.ts";
import { layerViolations } from "./layer-rules.ts";

const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true });
});

function tree(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), "teal-layers-"));
  roots.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

const violations = (files: Readonly<Record<string, string>>): readonly string[] =>
  layerViolations(allImports(tree(files))).map(({ file, line, message }) => `${file}:${String(line)} ${message}`);

describe("layers", () => {
  it("lets a layer import what it may", () => {
    expect(violations({ "src/engine/a.ts": `import { b } from "../plan/b.ts";\nimport "./c.ts";` })).toEqual([]);
  });

  it.each([
    ["an import", `\nimport { x } from "../engine/x.ts";`],
    ["a type-only import", `\nimport type { X } from "../engine/x.ts";`],
    ["a re-export", `\nexport { x } from "../engine/x.ts";`],
    ["a re-export of all", `\nexport * from "../engine/x.ts";`],
    ["a dynamic import", `\nconst x = await import("../engine/x.ts");`],
  ])("refuses what it may not: %s", (_, source) => {
    expect(violations({ "src/plan/a.ts": source })).toEqual([
      "src/plan/a.ts:2 imports src/engine/x.ts: plan may import only model",
    ]);
  });

  it("refuses any import of ours in the model", () => {
    expect(violations({ "src/model/a.ts": `import "../wire/x.ts";` })[0]).toMatch(/model may import nothing of ours/);
  });

  it("refuses a file system in a pure layer, and in no other", () => {
    expect(violations({ "src/plan/a.ts": `import "node:fs";`, "src/store/a.ts": `import "node:fs";` })).toEqual([
      "src/plan/a.ts:1 imports node:fs: plan is pure",
    ]);
  });

  it("refuses an unknown layer, and sources outside all layers", () => {
    expect(violations({ "src/util/a.ts": `import "node:fs";`, "src/b.ts": `import "zod";` })).toEqual([
      "src/b.ts:1 is in no layer: sources stand in a folder of src",
      expect.stringMatching(/^src\/util\/a\.ts:1 util is no known layer/),
    ]);
  });

  it("lets tests put together what they like, and the product import no test", () => {
    expect(violations({ "src/plan/a.test.ts": `import "../engine/x.ts";` })).toEqual([]);
    expect(violations({ "src/plan/a.ts": `import "./b.test.ts";` })).toEqual([
      "src/plan/a.ts:1 imports a test, src/plan/b.test.ts",
    ]);
    expect(violations({ "src/main/a.ts": `import "../../scripts/lib/root.ts";` })).toHaveLength(1);
  });

  it("says which file does not parse", () => {
    expect(() => allImports(tree({ "src/plan/a.ts": "const = ;" }))).toThrow(/src\/plan\/a\.ts/);
  });
});

describe("cycles", () => {
  const found = (files: Readonly<Record<string, string>>) => cycles(allImports(tree(files)));

  it("finds none in a diamond", () => {
    const files = {
      "src/plan/a.ts": `import "./b.ts"; import "./c.ts";`,
      "src/plan/b.ts": `import "./d.ts";`,
      "src/plan/c.ts": `import "./d.ts";`,
      "src/plan/d.ts": "",
    };
    expect(found(files)).toEqual([]);
  });

  it("finds each cycle once, through type-only imports too", () => {
    const files = {
      "src/plan/a.ts": `import "./b.ts";`,
      "src/plan/b.ts": `import type { C } from "./c.ts";`,
      "src/plan/c.ts": `export * from "./a.ts"; import "./d.ts";`,
      "src/plan/d.ts": `import "./e.ts";`,
      "src/plan/e.ts": `import "./d.ts";`,
      "src/plan/f.ts": `import "./a.ts";`,
    };
    expect(found(files)).toEqual([
      ["src/plan/d.ts", "src/plan/e.ts"],
      ["src/plan/a.ts", "src/plan/b.ts", "src/plan/c.ts"],
    ]);
  });
});

describe("driver names", () => {
  it("refuses a driver's name in the model, and only there", () => {
    const root = tree({
      "src/drivers/traffic/haproxy/driver.ts": "",
      "src/drivers/traffic/registry.ts": "",
      "src/model/a.ts": `// haproxy\nexport const kinds = ["haproxy", "registry.ts", "other"];`,
      "src/engine/a.ts": `export const kind = "haproxy";`,
    });
    expect(driverNameViolations(root)).toEqual([
      { file: "src/model/a.ts", line: 2, message: `names the driver "haproxy": the model knows none` },
    ]);
  });
});
