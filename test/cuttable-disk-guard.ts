import { once } from "node:events";
import { rmSync } from "node:fs";
import { killAll, unmountAll } from "./mounted.ts";

// node cuttable-disk-guard.ts FOLDER WORK: waits for the end of its input, which is the end of the test, however that
// comes about; then ends what still works in FOLDER, unmounts it, and removes WORK.
const [, , folder, work] = process.argv;
if (folder === undefined || work === undefined) throw new Error("usage: cuttable-disk-guard.ts FOLDER WORK");
await once(process.stdin.resume(), "end");
await unmountAll(work);
await killAll(folder);
await unmountAll(folder);
rmSync(work, { recursive: true });
