import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { ROOT } from "../lib/root.ts";

/** The command line as a person uses it, in one folder. */
export class Teal {
  readonly #folder: string;
  readonly #signal: AbortSignal;

  constructor(folder: string, signal: AbortSignal) {
    this.#folder = folder;
    this.#signal = signal;
  }

  /** Runs a verb; each line that it prints goes to `onLine`. Returns its exit code. */
  async run(
    args: readonly string[],
    onLine: (line: string) => void,
    signal: AbortSignal = this.#signal,
  ): Promise<number> {
    // Its own process group: Ctrl-C reaches this program alone, which then takes everything down in order.
    const child = spawn(process.execPath, [`${ROOT}bin/teal.js`, ...args], {
      cwd: this.#folder,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
      signal,
    });
    for (const input of [child.stdout, child.stderr]) createInterface({ input }).on("line", onLine);
    const ended = Promise.withResolvers<number>();
    child.once("error", ended.reject);
    child.once("close", (code) => {
      ended.resolve(code ?? 1);
    });
    return await ended.promise;
  }

  /** Runs a verb with --json and reads each line of its output as one document. */
  async json(args: readonly string[]): Promise<readonly unknown[]> {
    const lines: string[] = [];
    const exit = await this.run([...args, "--json"], (line) => lines.push(line));
    if (exit !== 0) throw new Error(`teal ${args.join(" ")} exited with ${String(exit)}: ${lines.join("\n")}`);
    return lines.filter((line) => line !== "").map((line): unknown => JSON.parse(line));
  }
}
