import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const packageSchema = z.object({ name: z.string(), version: z.string(), license: z.string().optional() });

/** Folders of the packages that files belong to: `node_modules/a/node_modules/@b/c/x.js` → `node_modules/a/node_modules/@b/c`. */
export function packageFolders(files: readonly string[]): readonly string[] {
  const folders = files.flatMap((file) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []);
  return [...new Set(folders)].toSorted();
}

/** The licences of the packages that bundles contain: most ask that their text goes with every copy. */
export function notices(root: string, inputs: readonly string[]): string {
  const texts = packageFolders(inputs).map((folder) => {
    const { name, version, license } = packageSchema.parse(
      JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")),
    );
    const files = globSync("{LICEN[CS]E,licen[cs]e,NOTICE}*", { cwd: join(root, folder) }).toSorted();
    const body = files.map((file) => readFileSync(join(root, folder, file), "utf8").trim());
    return [`${name} ${version} (${license ?? "see below"})`, ...body].join("\n\n");
  });
  return `${["The files in runtime/ contain the packages below.", ...texts].join(`\n\n${"-".repeat(80)}\n`)}\n`;
}
