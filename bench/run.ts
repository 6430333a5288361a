import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** `npm run bench -- NAME [--quick] [--driver D]`: each benchmark is a file here; its last line is one JSON object. */
const names = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith(".bench.ts"))
  .map((name) => name.slice(0, -".bench.ts".length));

const [name, ...rest] = process.argv.slice(2);
const file = join(import.meta.dirname, `${name ?? ""}.bench.ts`);
if (name === undefined || !existsSync(file)) {
  console.error(`usage: npm run bench -- NAME [--quick] [--driver D]; there is ${names.join(", ")}`);
  process.exit(2);
}
const child = spawn(process.execPath, [file, ...rest], { stdio: "inherit" });
child.on("exit", (code, signal) => {
  process.exitCode = signal === null ? (code ?? 1) : 1;
});
