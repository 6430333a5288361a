import { delimiter } from "node:path";
import { fileURLToPath } from "node:url";
import { bundle } from "./lib/bundle.ts";
import { ROOT } from "./lib/root.ts";

// `npm run -s teal -- VERB …`: the command line from a checkout. Everything it takes and prints is the command line's own.
await bundle();

// npm runs scripts in the package's root; what the person types is relative to where they are.
const { INIT_CWD, npm_package_json } = process.env;
if (INIT_CWD !== undefined && npm_package_json === `${ROOT}package.json`) process.chdir(INIT_CWD);

// npm puts folders of its own first on PATH; the apps that Teal starts are to find what the person's shell finds.
const own = /\/node_modules\/\.bin$|\/node-gyp-bin$/;
process.env["PATH"] = (process.env["PATH"] ?? "")
  .split(delimiter)
  .filter((folder) => !own.test(folder))
  .join(delimiter);

const program = new URL("../bin/teal.js", import.meta.url);
process.argv[1] = fileURLToPath(program);
await import(program.href);
