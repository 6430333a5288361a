import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { TealError } from "../../model/error.ts";
import { errnoOf } from "./source.ts";

type GitProcess = ChildProcessByStdio<null, Readable, Readable>;

/** What git printed is bounded: a listing of half a million files fits. */
const MOST_OUTPUT = 128 * 1024 * 1024;
const MOST_COMPLAINT = 4_096;

/** Runs git in one repository: never asks, takes no optional locks, reads nothing of an enclosing git's environment. */
export class Git {
  readonly #repository: string;
  readonly #environment: Record<string, string>;

  constructor(repository: string, environment: Readonly<Record<string, string | undefined>>) {
    this.#repository = repository;
    // GIT_DIR and the like are set when Teal is run from a hook; they would point to another repository.
    const kept = Object.entries(environment).filter(([name]) => !name.startsWith("GIT_"));
    this.#environment = Object.fromEntries(
      kept.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    );
    Object.assign(this.#environment, { GIT_TERMINAL_PROMPT: "0", GIT_OPTIONAL_LOCKS: "0", LC_ALL: "C" });
  }

  /** Output without the last newline. @throws `release-source` with git's own words when it fails */
  async text(args: readonly string[], signal: AbortSignal): Promise<string> {
    let text = "";
    await this.stream(args, signal, async (output) => {
      output.setEncoding("utf8");
      for await (const chunk of output) {
        text += String(chunk);
        if (text.length > MOST_OUTPUT) throw new TealError("release-source", `git ${args[0] ?? ""} printed too much`);
      }
    });
    return text.replace(/\n$/, "");
  }

  /** Object id that `revision` names, or null when there is none. */
  async find(revision: string, signal: AbortSignal): Promise<string | null> {
    try {
      return await this.text(["rev-parse", "--verify", "--quiet", "--end-of-options", revision], signal);
    } catch (thrown) {
      if (thrown instanceof GitFailure && thrown.quiet) return null;
      throw thrown;
    }
  }

  /** Hands git's output to `consume`; returns when git has ended well and `consume` is done. The signal ends git. */
  async stream(
    args: readonly string[],
    signal: AbortSignal,
    consume: (output: Readable) => Promise<void>,
  ): Promise<void> {
    const child = spawn("git", ["-C", this.#repository, ...args], {
      env: this.#environment,
      stdio: ["ignore", "pipe", "pipe"],
      signal,
      killSignal: "SIGKILL",
    });
    const ended = outcome(child, args);
    try {
      await consume(child.stdout);
    } catch (thrown) {
      child.kill("SIGKILL");
      // Git's own complaint explains a cut output better than what the reader made of it.
      await ended.catch((failure: unknown) => {
        if (failure instanceof GitFailure && failure.complained) throw failure;
      });
      throw thrown;
    }
    await ended;
  }
}

class GitFailure extends TealError {
  readonly quiet: boolean;
  readonly complained: boolean;

  constructor(args: readonly string[], exit: string, complaint: string) {
    super("release-source", `git ${args[0] ?? ""} ${complaint === "" ? exit : `said: ${complaint}`}`);
    this.quiet = complaint === "" && exit === "exited with 1";
    this.complained = complaint !== "";
  }
}

function outcome(child: GitProcess, args: readonly string[]): Promise<void> {
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint = (complaint + text).slice(0, MOST_COMPLAINT);
  });
  const ended = Promise.withResolvers<undefined>();
  child.once("error", (cause) => {
    const missing = errnoOf(cause) === "ENOENT";
    const message = missing ? "the program git was not found on PATH" : cause.message;
    ended.reject(
      new TealError("release-source", message, {
        cause,
        ...(missing && { remedy: "Install git, or use release: { dir: … }." }),
      }),
    );
  });
  child.once("close", (code, killed) => {
    if (code === 0) ended.resolve(undefined);
    else
      ended.reject(
        new GitFailure(
          args,
          code === null ? `was ended by ${String(killed)}` : `exited with ${String(code)}`,
          complaint.trim(),
        ),
      );
  });
  // The caller awaits it later; until then it must not count as unhandled.
  ended.promise.catch(() => undefined);
  return ended.promise;
}
