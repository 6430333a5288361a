import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Program } from "../lib/program.ts";

export type Side = "blue" | "green";

/** What a rival is started with. */
export interface RivalPlan {
  /** For its configuration, logs and sockets. */
  readonly folder: string;
  readonly port: number;
  /** The one processor that it may run on; null: any. */
  readonly cpu: number | null;
  /** Threads, or worker processes. */
  readonly threads: number;
  /** `host:port` of the instances of both sides. */
  readonly sides: Readonly<Record<Side, readonly string[]>>;
  /** Where traffic goes first. */
  readonly active: Side;
  /** A path that answers 200 on every instance. */
  readonly health: string;
}

export interface RunningRival {
  readonly program: Program;
  /**
   * Switches as its own manual says.
   * @returns true when it has said that the switch is made; false when it says nothing of that kind
   */
  readonly switchTo: (side: Side) => Promise<boolean>;
}

/** Another proxy, with a fixed configuration beside this file. */
export interface Rival {
  readonly name: string;
  start(plan: RivalPlan): Promise<RunningRival>;
}

/** A configuration of this folder, with its words between @ filled in. @throws when one is left */
export function filled(file: string, words: Readonly<Record<string, string | number>>): string {
  const template = readFileSync(join(import.meta.dirname, file), "utf8");
  return template.replaceAll(/@([A-Z]+)@/g, (_, word: string) => {
    const value = words[word];
    if (value === undefined) throw new Error(`${file}: nothing to fill in for @${word}@`);
    return String(value);
  });
}
