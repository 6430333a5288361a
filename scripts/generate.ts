import { generated as cliFiles } from "../src/cli/generated.ts";
import { generated as configFiles } from "../src/config/generated.ts";
import { DRIVER_NAMES } from "../src/drivers/names.ts";
import { generated as apiFiles } from "../src/server/generated.ts";
import { errorFiles } from "./generated/errors.ts";
import { bringUpToDate, type Generated } from "./lib/generated.ts";
import { ROOT } from "./lib/root.ts";

/** Every generated file of the repository. A new source is a line here. */
const FILES: readonly Generated[] = [
  ...errorFiles(),
  ...configFiles(DRIVER_NAMES),
  ...(await cliFiles()),
  ...(await apiFiles()),
];

// `node scripts/generate.ts` writes them; `--check` only says which are not what their sources make of them now.
const checkOnly = process.argv.includes("--check");
const stale = await bringUpToDate(ROOT, FILES, { checkOnly });
for (const path of stale) console.log(checkOnly ? `${path} is not current: run npm run generate` : `wrote ${path}`);
process.exitCode = checkOnly && stale.length > 0 ? 1 : 0;
