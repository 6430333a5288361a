import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { instanceId } from "../../../model/environment.ts";
import type { Clock, Milliseconds } from "../../../model/time.ts";
import type { LogLine } from "../../../ports/environment.ts";
import { openIfThere, parseLine, tail } from "./log-file.ts";
import { LogFollower } from "./log-follower.ts";

const LOOK_MS: Milliseconds = 200;
/** Rotated files of one instance, at most: the keeper keeps five in all. */
const OLDEST = 4;

export interface LogPlace {
  /** StatePaths.logs. */
  readonly folder: string;
  readonly service: string;
  readonly environment: string;
}

/** The log of one instance: `<release>.<ordinal>.log`, rotated to `.log.1` … `.log.4`. */
interface InstanceLog {
  readonly path: string;
  readonly instance: string;
  readonly changedAt: number;
  readonly inode: number;
  readonly size: number;
}

/** The last lines of all instances of an environment, in the order of time, and on as they come when `follow`. */
export async function* environmentLogs(
  place: LogPlace,
  options: { readonly lines: number; readonly follow: boolean; readonly signal: AbortSignal },
  clock: Clock,
): AsyncGenerator<LogLine> {
  const found = await instanceLogs(place);
  const last = await lastLines(found, options.lines);
  yield* last;
  if (!options.follow) return;
  const followers = new Map(
    found.map((log) => [log.path, new LogFollower(log.path, log.instance, { inode: log.inode, offset: log.size })]),
  );
  try {
    for (;;) {
      for (const log of await instanceLogs(place)) {
        if (!followers.has(log.path))
          followers.set(log.path, new LogFollower(log.path, log.instance, { inode: 0, offset: 0 }));
      }
      const batches = await Promise.all([...followers.values()].map((follower) => follower.read()));
      yield* batches.flat().toSorted((a, b) => a.at - b.at);
      await clock.sleep(LOOK_MS, options.signal);
    }
  } catch (thrown) {
    if (!options.signal.aborted) throw thrown;
  } finally {
    for (const follower of followers.values()) await follower.close();
  }
}

async function instanceLogs({ folder, service, environment }: LogPlace): Promise<InstanceLog[]> {
  const directory = join(folder, service, environment);
  const logs: InstanceLog[] = [];
  for (const name of await namesIn(directory)) {
    const match = /^(?<release>.+)\.(?<ordinal>\d+)\.log$/.exec(name);
    const { release, ordinal } = match?.groups ?? {};
    if (release === undefined || ordinal === undefined) continue;
    const path = join(directory, name);
    const { mtimeMs, ino, size } = await stat(path);
    const instance = instanceId({ service, environment, release, ordinal: Number(ordinal) });
    logs.push({ path, instance, changedAt: mtimeMs, inode: ino, size });
  }
  return logs;
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") return [];
    throw thrown;
  }
}

/** Newest files first, so that those of long-gone releases are not read when they cannot have one of the lines. */
async function lastLines(logs: readonly InstanceLog[], lines: number): Promise<LogLine[]> {
  let last: LogLine[] = [];
  for (const log of logs.toSorted((a, b) => b.changedAt - a.changedAt)) {
    const oldest = last[0];
    if (last.length >= lines && (oldest === undefined || oldest.at > log.changedAt)) break;
    const more = await instanceTail(log, lines);
    last = [...last, ...more].toSorted((a, b) => a.at - b.at);
    last = last.slice(Math.max(0, last.length - lines));
  }
  return last;
}

async function instanceTail(log: InstanceLog, lines: number): Promise<LogLine[]> {
  let found: LogLine[] = [];
  for (let number = 0; number <= OLDEST && found.length < lines; number += 1) {
    await using file = await openIfThere(number === 0 ? log.path : `${log.path}.${String(number)}`);
    if (file === null) break;
    const size = number === 0 ? log.size : (await file.stat()).size;
    const texts = await tail(file, size, lines - found.length);
    found = [...texts.flatMap((text) => parseLine(text, log.instance) ?? []), ...found];
  }
  return found;
}
