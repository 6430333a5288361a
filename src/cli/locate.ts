import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { TealError } from "../model/error.ts";

const NAME = "teal.yaml";

/**
 * The teal.yaml that a command is about: the one named, else the nearest in `cwd` and the folders above. One that is
 * named need not be there: `down` works without it.
 * @throws `config-missing`
 */
export function locateConfig(named: string | undefined, cwd: string): string {
  if (named !== undefined) return resolve(cwd, named);
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    const file = join(folder, NAME);
    if (existsSync(file)) return file;
    if (folder === dirname(folder)) {
      throw new TealError("config-missing", `there is no ${NAME} in ${cwd} nor in a folder above it`);
    }
  }
}
