import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";

/** unix(7): sun_path holds 108 bytes with its NUL. */
const LONGEST_SOCKET_PATH = 107;

/** Where everything of one state directory stands. `root` is absolute, normally `.teal` beside teal.yaml. */
export class StatePaths {
  readonly root: string;
  readonly #socketFolder: string;

  constructor(root: string, environment: Readonly<Record<string, string | undefined>> = process.env) {
    this.root = root;
    // The longest socket name used is proxy-<pid>.sock.
    const fits = Buffer.byteLength(join(root, "proxy-4194304.sock")) <= LONGEST_SOCKET_PATH;
    this.#socketFolder = fits ? root : shortFolder(root, environment);
  }

  get database(): string {
    return join(this.root, "teal.db");
  }
  /** Held under BEGIN EXCLUSIVE by the server that owns the store. */
  get serverLock(): string {
    return join(this.root, "server.lock");
  }
  get keeperLock(): string {
    return join(this.root, "keeper.lock");
  }
  /** The keeper's own record: what it binds and runs. */
  get keeperRecord(): string {
    return join(this.root, "keeper.json");
  }
  get apiSocket(): string {
    return join(this.#socketFolder, "teal.sock");
  }
  get keeperSocket(): string {
    return join(this.#socketFolder, "keeper.sock");
  }
  proxySocket(pid: number): string {
    return join(this.#socketFolder, `proxy-${String(pid)}.sock`);
  }
  /** Two preallocated slots, written in turn. */
  get proxySnapshot(): string {
    return join(this.root, "proxy.snapshot");
  }
  get logs(): string {
    return join(this.root, "logs");
  }
  get releases(): string {
    return join(this.root, "releases");
  }
  get runtime(): string {
    return join(this.root, "runtime");
  }
  get run(): string {
    return join(this.root, "run");
  }
}

function shortFolder(root: string, environment: Readonly<Record<string, string | undefined>>): string {
  const base = environment["XDG_RUNTIME_DIR"] ?? join(tmpdir(), `teal-${String(userInfo().uid)}`);
  const folder = join(base, createHash("sha256").update(root).digest("hex").slice(0, 16));
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}
