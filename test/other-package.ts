import { appendFile, cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { hashOf, readRuntimeVersion, VERSION_FILE } from "../src/main/runtime-version.ts";

const CHECKOUT = resolve(import.meta.dirname, "..");

/** What is put behind the code of a bundle, by its file name. */
type Additions = Readonly<Record<string, string>>;

/** Another version of the package, installed in a folder of its own: this code, under another number and digest. */
export class OtherPackage {
  readonly folder: string;
  /** Its command line. */
  readonly program: string;
  /** As in VERSION.json. */
  readonly runtime: string;

  private constructor(folder: string, runtime: string) {
    this.folder = folder;
    this.program = join(folder, "bin", "teal.js");
    this.runtime = runtime;
  }

  /** `additions`: code that makes bundles differ from today's, by file name. */
  static async install(version: string, additions: Additions = {}): Promise<OtherPackage> {
    const folder = await mkdtemp(join(tmpdir(), "teal-package-"));
    for (const name of ["bin", "src"]) await cp(join(CHECKOUT, name), join(folder, name), { recursive: true });
    await cp(join(CHECKOUT, "dist", "runtime"), join(folder, "dist", "runtime"), { recursive: true });
    await symlink(join(CHECKOUT, "node_modules"), join(folder, "node_modules"));
    const manifest = JSON.parse(await readFile(join(CHECKOUT, "package.json"), "utf8")) as object;
    await writeFile(join(folder, "package.json"), JSON.stringify({ ...manifest, version }));
    return new OtherPackage(folder, await build(join(folder, "dist", "runtime"), version, additions));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function build(bundles: string, version: string, additions: Additions): Promise<string> {
  const { files } = await readRuntimeVersion(bundles);
  for (const name of files) await appendFile(join(bundles, name), `\n// ${version}\n`);
  // In front of everything, and still behind the imports, which are hoisted.
  for (const [name, code] of Object.entries(additions)) {
    const path = join(bundles, name);
    await writeFile(path, `${code}\n${await readFile(path, "utf8")}`);
  }
  const hash = await hashOf(bundles, files);
  const runtime = `${version}-${hash.slice(0, 8)}`;
  await writeFile(join(bundles, VERSION_FILE), JSON.stringify({ version: runtime, hash, files }));
  return runtime;
}
