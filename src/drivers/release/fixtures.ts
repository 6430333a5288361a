import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Header } from "tar";

/** A folder for one test; removed with `using`. */
export function temporaryFolder(): { readonly path: string; readonly [Symbol.dispose]: () => void } {
  const path = mkdtempSync(join(tmpdir(), "teal-release-"));
  return {
    path,
    [Symbol.dispose]: () => {
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/** Writes files; a value `-> target` makes a link, a path that ends in `/` a folder, one that ends in `*` an executable. */
export function writeTree(root: string, tree: Readonly<Record<string, string>>): void {
  mkdirSync(root, { recursive: true });
  for (const [name, content] of Object.entries(tree)) {
    const path = join(root, name.replace(/\*$/, ""));
    mkdirSync(dirname(path), { recursive: true });
    if (name.endsWith("/")) mkdirSync(path, { recursive: true });
    else if (content.startsWith("-> ")) symlinkSync(content.slice(3), path);
    else writeFileSync(path, content);
    if (name.endsWith("*")) chmodSync(path, 0o755);
  }
}

/** Runs git in `repository` as a person of the tests, without the machine's own settings. */
export function git(repository: string, ...args: readonly string[]): string {
  const settings = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"];
  const env = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" };
  return execFileSync("git", ["-C", repository, ...settings, ...args], { encoding: "utf8", env, stdio: "pipe" }).trim();
}

export interface RawEntry {
  readonly path: string;
  readonly type?: "File" | "SymbolicLink" | "Link" | "Directory" | "CharacterDevice" | "FIFO";
  readonly linkpath?: string;
  readonly body?: string;
  readonly mode?: number;
  /** Claimed size, when it differs from the body's. */
  readonly size?: number;
}

/** A tar of exactly these headers: what no honest tar program would write. */
export function rawTar(entries: readonly RawEntry[]): Buffer {
  const blocks = entries.flatMap((entry) => {
    const body = Buffer.from(entry.body ?? "");
    const block = Buffer.alloc(512);
    const { path, type = "File", linkpath = "", mode = 0o644, size = body.length } = entry;
    new Header({ path, type, linkpath, mode, size, mtime: new Date(0), uid: 0, gid: 0 }).encode(block, 0);
    const padding = Buffer.alloc((512 - (body.length % 512)) % 512);
    return [block, body, padding];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}
