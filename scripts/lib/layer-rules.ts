import type { Import } from "./imports.ts";

/** Which folders of src a folder may import, beside itself (ARCHITECTURE.md, "Layers"). Absent: nothing of ours. */
const MAY_IMPORT: Readonly<Record<string, readonly string[] | "anything">> = {
  model: [],
  config: ["model"],
  plan: ["model"],
  analysis: ["model"],
  simulation: ["plan", "analysis", "store", "model"],
  report: ["simulation", "analysis", "store", "model"],
  ports: ["model"],
  wire: ["model"],
  api: ["model"],
  store: ["model"],
  drivers: ["ports", "wire", "model"],
  engine: ["plan", "analysis", "ports", "store", "model"],
  server: ["engine", "simulation", "report", "config", "api", "model"],
  sdk: ["api", "model"],
  cli: ["sdk", "config", "main", "model"],
  proxy: ["wire", "model"],
  keeper: ["wire", "model"],
  main: "anything",
};

/** Folders that compute and touch nothing: no Node module that reaches a disk, a network or a process. */
const PURE = ["model", "plan", "analysis", "simulation", "report"];
const PURE_MODULES = ["node:crypto", "node:util", "node:assert"];

export interface Violation {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

const layerOf = (path: string): string | null => /^src\/([^/]+)\//.exec(path)?.[1] ?? null;
const isTest = (path: string): boolean => path.endsWith(".test.ts");

/** Tests may put together what they like; the product may not import a test. */
export function layerViolations(imports: readonly Import[]): readonly Violation[] {
  return imports.flatMap((one) => {
    const message = isTest(one.file) ? null : complaint(one);
    return message === null ? [] : [{ file: one.file, line: one.line, message }];
  });
}

function complaint({ file, specifier, target }: Import): string | null {
  const layer = layerOf(file);
  if (layer === null) return "is in no layer: sources stand in a folder of src";
  const allowed = MAY_IMPORT[layer];
  if (allowed === undefined)
    return `${layer} is no known layer: add it to scripts/lib/layer-rules.ts and ARCHITECTURE.md`;
  if (target === null) {
    const impure = PURE.includes(layer) && specifier.startsWith("node:") && !PURE_MODULES.includes(specifier);
    return impure ? `imports ${specifier}: ${layer} is pure` : null;
  }
  if (isTest(target)) return `imports a test, ${target}`;
  const other = layerOf(target);
  if (other === null) return `imports ${target}: src imports nothing outside src`;
  if (other === layer || allowed === "anything" || allowed.includes(other)) return null;
  return `imports ${target}: ${layer} may import ${allowed.length === 0 ? "nothing of ours" : `only ${allowed.join(", ")}`}`;
}
