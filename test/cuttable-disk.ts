import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { closeSync, cpSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { killAll, stopAll, unmountAll } from "./mounted.ts";

const MIB = 1024 * 1024;
/** Teal's own programs, some releases of the app, snapshot, ballast and database; what is never written takes no room. */
const SIZE_MIB = 256;
const GUARD = join(import.meta.dirname, "cuttable-disk-guard.ts");

/**
 * Nothing is written back by itself while a test lasts: `commit` is how often ext4 does so unasked, in seconds, and
 * `noauto_da_alloc` takes away its kindness to programs that rename a file which they have not synced. What is dirty for
 * 30 s is written back all the same (/proc/sys/vm/dirty_expire_centisecs), so that a test cuts earlier.
 */
const OPTIONS = "loop,commit=300,noauto_da_alloc,noinit_itable";

/** A bind mount over the kernel's own, in a namespace that ends with its processes. */
const WITH_BOOT_ID = 'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"';

/**
 * A folder on an ext4 of its own, whose disk is a file: a power cut leaves what ext4 had given to the disk by then, which
 * is what was synced and hardly more, and ends all processes that work there.
 */
export class CuttableDisk {
  readonly folder: string;
  readonly #work: string;
  /** Folders below it, as names, that are no part of the disk and lose nothing. */
  readonly #beside: readonly string[];
  readonly #guard: ChildProcess;
  #number = 0;
  #isFrozen = false;

  private constructor(folder: string, work: string, beside: readonly string[]) {
    this.folder = folder;
    this.#work = work;
    this.#beside = beside;
    // Whatever becomes of this process, its end is heard by that one, which then clears everything away.
    this.#guard = spawn(process.execPath, [GUARD, folder, work], {
      stdio: ["pipe", "ignore", "inherit"],
      detached: true,
    });
    this.#guard.unref();
  }

  /** Over a temporary folder; what is in it is on the disk, and durable. @throws where this user may not mount */
  static over(folder: string, beside: readonly string[] = []): CuttableDisk {
    if (!resolve(folder).startsWith(join(tmpdir(), "teal-"))) throw new Error(`${folder} is no test's own`);
    const work = mkdtempSync(join(tmpdir(), "teal-disk-"));
    for (const name of beside) mkdirSync(join(work, name), { mode: 0o777 });
    const disk = new CuttableDisk(folder, work, beside);
    try {
      disk.#make();
      disk.#mount();
      return disk;
    } catch (thrown) {
      disk.#guard.stdin?.end();
      throw thrown;
    }
  }

  /** Goes before a command whose processes are to see the boot id of this disk's machine: each cut gives another one. */
  get boot(): readonly string[] {
    return ["unshare", "--mount", "sh", "-c", WITH_BOOT_ID, join(this.#work, "boot-id")];
  }

  /** The disk takes nothing more, whoever writes or syncs waits; what was dirty it has taken first (fsfreeze(8)). */
  freeze(): void {
    run("fsfreeze", "--freeze", this.folder);
    this.#isFrozen = true;
  }

  thaw(): void {
    if (this.#isFrozen) run("fsfreeze", "--unfreeze", this.folder);
    this.#isFrozen = false;
  }

  /** Everything stands still, the disk is as it is then, everything ends; afterwards the folder is on what was left. */
  async cutPower(): Promise<void> {
    const image = this.#image;
    this.#number += 1;
    // Who waits for a frozen disk cannot be stopped, and changes nothing.
    if (!this.#isFrozen) await stopAll(this.folder);
    run("cp", "--sparse=always", image, this.#image);
    this.thaw();
    await killAll(this.folder);
    await unmountAll(this.folder);
    rmSync(image);
    this.#mount();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.thaw();
    const exit = once(this.#guard, "exit");
    this.#guard.ref();
    this.#guard.stdin?.end();
    const [code] = (await exit) as [number | null];
    if (code !== 0) throw new Error(`${this.folder} could not be unmounted; ${this.#work} is left`);
  }

  get #image(): string {
    return join(this.#work, `disk-${String(this.#number)}`);
  }

  #make(): void {
    const file = openSync(this.#image, "wx");
    ftruncateSync(file, SIZE_MIB * MIB);
    closeSync(file);
    run("mkfs.ext4", "-q", "-F", "-m", "0", this.#image);
    const first = join(this.#work, "first");
    mkdirSync(first);
    run("mount", "-o", OPTIONS, this.#image, first);
    try {
      cpSync(this.folder, first, { recursive: true });
      for (const name of this.#beside) mkdirSync(join(first, name), { recursive: true });
    } finally {
      run("umount", first);
    }
  }

  #mount(): void {
    run("mount", "-o", OPTIONS, this.#image, this.folder);
    for (const name of this.#beside) run("mount", "--bind", join(this.#work, name), join(this.folder, name));
    writeFileSync(join(this.#work, "boot-id"), `${randomUUID()}\n`);
  }
}

function run(file: string, ...args: readonly string[]): void {
  // As mkfs stands in a folder that is not on everybody's path.
  const env = { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` };
  const { status, stderr, error } = spawnSync(file, args, { env, encoding: "utf8", timeout: 60_000 });
  if (status !== 0) throw new Error(`${file} ${args.join(" ")}: ${error?.message ?? stderr}`);
}
