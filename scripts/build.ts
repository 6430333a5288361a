import { existsSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { bundle } from "./lib/bundle.ts";
import { ROOT } from "./lib/root.ts";
import { succeed } from "./lib/run.ts";

// Makes dist/ as the package carries it: the command line as modules, the long-lived processes as bundles.
const dist = join(ROOT, "dist");
const stale = existsSync(dist)
  ? (await readdir(dist)).filter((name) => !["runtime", "THIRD-PARTY-NOTICES.txt"].includes(name))
  : [];
for (const name of stale) await rm(join(dist, name), { recursive: true });
await succeed(["tsc", "-p", "tsconfig.build.json"]);
await bundle();
