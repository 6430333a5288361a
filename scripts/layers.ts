import { cycles } from "./lib/cycles.ts";
import { driverNameViolations } from "./lib/driver-names.ts";
import { allImports } from "./lib/imports.ts";
import { layerViolations } from "./lib/layer-rules.ts";
import { ROOT } from "./lib/root.ts";

// The rules of ARCHITECTURE.md about who imports whom. Type-only imports count.
const imports = allImports(ROOT);
const problems = [
  ...[...layerViolations(imports), ...driverNameViolations(ROOT)].map(
    ({ file, line, message }) => `${file}:${String(line)} ${message}`,
  ),
  ...cycles(imports).map((files) => `import cycle: ${files.join(" ↔ ")}`),
];
for (const problem of problems) console.error(problem);
console.log(`layers: ${String(imports.length)} imports, ${String(problems.length)} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;
