import { expect, it } from "vitest";
import { notices, packageFolders } from "./notices.ts";
import { ROOT } from "./root.ts";

it("finds the package of each file, nested and scoped ones too", () => {
  const files = [
    "src/main/server.ts",
    "node_modules/zod/index.js",
    "node_modules/zod/v4/core.js",
    "node_modules/a/node_modules/@b/c/x.js",
  ];
  expect(packageFolders(files)).toEqual(["node_modules/a/node_modules/@b/c", "node_modules/zod"]);
});

it("gives the licence with the package's name and version", () => {
  const text = notices(ROOT, ["node_modules/zod/index.js"]);
  expect(text).toMatch(/\nzod \d+\.\d+\.\d+ \(MIT\)\n\nMIT License/);
});
