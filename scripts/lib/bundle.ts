import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Plugin } from "esbuild";
import { z } from "zod";
import { hashOf, readRuntimeVersion, VERSION_FILE, type RuntimeVersion } from "../../src/main/runtime-version.ts";
import { isCurrent, readStamp, stampOf, writeStamp } from "./bundle-stamp.ts";
import { notices } from "./notices.ts";
import { ROOT } from "./root.ts";

/** The processes that outlive an upgrade of the package. One that is not written yet is left out. */
const ENTRIES = ["cloudwatch", "config-worker", "keeper", "proxy", "proxy-worker", "server", "store-worker", "tracing"];
const RUNTIME = "dist/runtime";
const NOTICES = "dist/THIRD-PARTY-NOTICES.txt";
const STAMP = "node_modules/.cache/teal-bundles.json";
/** What the bundles depend on and esbuild does not list. */
const OTHER_INPUTS = ["package.json", "scripts/lib/bundle.ts", "scripts/lib/notices.ts"];
/** CommonJS packages inside an ES module still call `require` for Node's own modules. */
const BANNER = `import { createRequire as tealCreateRequire } from "node:module"; const require = tealCreateRequire(import.meta.url);`;

/** zod carries its messages in 50 languages, a third of each bundle, and the namespace that it exports keeps them all. */
const ENGLISH_ONLY: Plugin = {
  name: "zod-english-only",
  setup(build) {
    build.onLoad({ filter: /[/]zod[/]v4[/]locales[/]index\.js$/ }, () => ({
      contents: `export { default as en } from "./en.js";`,
    }));
  },
};

/**
 * Bundles each long-lived process to one file of dist/runtime, with VERSION.json beside them.
 * @returns null when everything was current.
 */
export async function bundle(root: string = ROOT): Promise<RuntimeVersion | null> {
  const entries = ENTRIES.map((name) => `src/main/${name}.ts`).filter((path) => existsSync(join(root, path)));
  const stamp = readStamp(join(root, STAMP));
  if (stamp !== null && isCurrent(root, stamp, entries)) return null;

  // Built aside and moved in file by file, so that whoever starts meanwhile never reads half a file.
  const cache = join(root, dirname(STAMP));
  await mkdir(cache, { recursive: true });
  const aside = await mkdtemp(join(cache, "teal-bundles-"));
  try {
    const inputs = await build(root, entries, aside);
    const version = await writeVersion(root, aside);
    await moveIn(aside, join(root, RUNTIME), version);
    await writeFile(join(root, NOTICES), notices(root, inputs));
    const outputs = [NOTICES, ...[...version.files, VERSION_FILE].map((name) => `${RUNTIME}/${name}`)];
    writeStamp(join(root, STAMP), stampOf(root, entries, [...inputs, ...OTHER_INPUTS], outputs));
    return version;
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

/** @returns every file that went in, relative to `root`. */
async function build(root: string, entries: readonly string[], folder: string): Promise<readonly string[]> {
  const esbuild = await import("esbuild");
  const result = await esbuild.build({
    absWorkingDir: root,
    entryPoints: [...entries],
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node24",
    mainFields: ["module", "main"],
    banner: { js: BANNER },
    legalComments: "eof",
    logLevel: "warning",
    metafile: true,
    plugins: [ENGLISH_ONLY],
  });
  return Object.keys(result.metafile.inputs);
}

async function writeVersion(root: string, folder: string): Promise<RuntimeVersion> {
  const files = (await readdir(folder)).toSorted();
  const hash = await hashOf(folder, files);
  const version = { version: `${await packageVersion(root)}-${hash.slice(0, 8)}`, hash, files };
  await writeFile(join(folder, VERSION_FILE), `${JSON.stringify(version, null, 2)}\n`);
  return await readRuntimeVersion(folder);
}

async function packageVersion(root: string): Promise<string> {
  return z.object({ version: z.string() }).parse(JSON.parse(await readFile(join(root, "package.json"), "utf8")))
    .version;
}

async function moveIn(from: string, to: string, version: RuntimeVersion): Promise<void> {
  await mkdir(to, { recursive: true });
  const names = [...version.files, VERSION_FILE];
  for (const name of names) await rename(join(from, name), join(to, name));
  for (const name of await readdir(to)) if (!names.includes(name)) await rm(join(to, name), { recursive: true });
}
