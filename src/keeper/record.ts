import { readFile, rename } from "node:fs/promises";
import { z } from "zod";
import { replaceFile } from "../wire/durable-file.ts";
import { instanceSpec } from "../wire/keeper.ts";
import { program } from "../wire/launch.ts";
import { proxySettings } from "../wire/shapes.ts";

/** Names a process for all time, together with the boot id. */
const processRecord = z.object({
  pid: z.int(),
  startTicks: z.int(),
  /** Milliseconds since the Unix epoch. */
  startedAt: z.number(),
});

/** A process of Teal's own; without `program` it runs from what the keeper that wrote this ran from. */
const tealRecord = processRecord.extend({ program: program.optional() });
export type TealRecord = z.output<typeof tealRecord>;

const proxyRecord = tealRecord.extend({
  draining: z.boolean(),
  listen: z.array(z.string()),
  settings: proxySettings.prefault({}),
});
export type ProxyRecord = z.output<typeof proxyRecord>;

/** Without the variables: no secret is at rest. A keeper that adopts reads them back from the process itself. */
const instanceRecord = processRecord.extend({
  spec: instanceSpec.omit({ variables: true }),
  port: z.int(),
  /** Whether it had been ready, so that the data plane watches it by now. */
  ready: z.boolean(),
  restarts: z.int(),
});
export type InstanceRecord = z.output<typeof instanceRecord>;

/** keeper.json. Fields are only added, with a default; a change of meaning is a new version beside this one. */
export const keeperRecord = z.object({
  version: z.literal(1),
  bootId: z.string(),
  listeners: z.array(z.object({ listen: z.string(), address: z.string() })),
  proxies: z.array(proxyRecord),
  server: tealRecord.nullable(),
  instances: z.array(instanceRecord),
  /** Everything is being ended, as somebody wants it so: nobody starts another keeper should this one die over it. */
  goingDown: z.boolean().default(false),
});
export type KeeperRecord = z.output<typeof keeperRecord>;

/**
 * Reads keeper.json; null when there is none, or it is of no use: it is then kept beside for a person to look at.
 * @throws when the file may not be read
 */
export async function loadRecord(path: string, warn: (text: string) => void): Promise<KeeperRecord | null> {
  const text = await readRecord(path);
  if (text === null) return null;
  try {
    return keeperRecord.parse(JSON.parse(text));
  } catch (thrown) {
    await rename(path, `${path}.unreadable`);
    warn(
      `${path} was set aside as keeper.json.unreadable: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
    );
    return null;
  }
}

/**
 * Whether the record stands for a keeper that was to go on: none is there when it has ended as it was told to. One that cannot
 * be understood says nothing of an end, and the next keeper sets it aside.
 * @throws when the file may not be read
 */
export async function isToGoOn(path: string): Promise<boolean> {
  const text = await readRecord(path);
  if (text === null) return false;
  try {
    return !keeperRecord.parse(JSON.parse(text)).goingDown;
  } catch {
    return true;
  }
}

async function readRecord(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") return null;
    throw thrown;
  }
}

/**
 * keeper.json, a line for each instance. Theirs come as they are written, see {@link printInstance}: of thousands, one or
 * two have changed since the last time.
 */
export function printRecord(rest: Omit<KeeperRecord, "instances">, instances: readonly Buffer[]): Buffer {
  const [first, ...others] = instances;
  const head = Buffer.from(`${JSON.stringify(rest).slice(0, -1)},"instances":[`);
  return Buffer.concat([head, first?.subarray(SEPARATOR.length) ?? NOTHING, ...others, TAIL]);
}

const NOTHING = Buffer.alloc(0);
const SEPARATOR = ",";
const TAIL = Buffer.from("\n]}\n");

/** As it stands after another one. */
export function printInstance(instance: InstanceRecord): Buffer {
  const text = `${SEPARATOR}\n${JSON.stringify(instance)}`;
  // Memory of its own: a part of a shared slab, kept for long, keeps the whole slab.
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
}

/** Writes a record whole or not at all, and durably. Saves that come together are one. */
export class RecordFile {
  readonly #path: string;
  readonly #current: () => Buffer;
  readonly #warn: (text: string) => void;
  #written: Buffer | null = null;
  #writing: Promise<void> | null = null;
  #next: Promise<void> | null = null;

  constructor(path: string, current: () => Buffer, warn: (text: string) => void) {
    this.#path = path;
    this.#current = current;
    this.#warn = warn;
  }

  /**
   * Resolves when what is current now is on disk. Never rejects: a full disk must not keep an instance from starting, so the
   * failure is logged, and the next change writes everything again.
   */
  save(): Promise<void> {
    this.#next ??= (this.#writing ?? Promise.resolve()).then(() => {
      this.#next = null;
      this.#writing = this.#write().finally(() => {
        this.#writing = null;
      });
      return this.#writing;
    });
    return this.#next;
  }

  async #write(): Promise<void> {
    const bytes = this.#current();
    if (this.#written?.equals(bytes) === true) return;
    try {
      await replaceFile(this.#path, bytes);
      this.#written = bytes;
    } catch (thrown) {
      this.#warn(`${this.#path} could not be written: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    }
  }
}
