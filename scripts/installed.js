// installed.js ROOT: exits 0 when ROOT/node_modules holds what ROOT/package-lock.json asks for, by npm's own record of
// what it installed; else 1. Plain JavaScript: it runs on whatever Node a fresh machine has.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const root = process.argv[2] ?? ".";

function packages(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), "utf8")).packages;
  } catch (error) {
    if (error.code === "ENOENT") return null;
    throw error;
  }
}

const wanted = packages("package-lock.json");
const installed = packages("node_modules/.package-lock.json");

function current(path) {
  const entry = wanted[path];
  const found = installed[path];
  // Optional packages are those of other platforms; npm leaves them out.
  if (found === undefined) return entry.optional === true || entry.peer === true;
  return found.version === entry.version && found.integrity === entry.integrity;
}

const complete = installed !== null && Object.keys(wanted).every((path) => path === "" || current(path));
process.exitCode = complete ? 0 : 1;
