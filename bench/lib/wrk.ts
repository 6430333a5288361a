import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import type { Milliseconds } from "../../src/model/time.ts";

export interface WrkLoad {
  readonly url: string;
  readonly connections: number;
  /** Any length: wrk itself knows whole seconds only, and is told to end. */
  readonly durationMs: Milliseconds;
  /** The processor that it runs on. */
  readonly cpu: number;
  /** A Lua file that makes the requests; a plain GET without. */
  readonly script?: string;
}

export interface WrkResult {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Connections refused or reset, and timeouts. */
  readonly errors: number;
}

/** Far above any duration; ends a wrk that nobody told to end. */
const LONGEST = "60s";

/** @throws when wrk fails, or an answer was not 2xx or 3xx: such a run measures something else */
export async function wrk(load: WrkLoad): Promise<WrkResult> {
  const { url, connections, durationMs, cpu, script } = load;
  const scripted = script === undefined ? [] : ["-s", script];
  const options = ["-t1", `-c${String(connections)}`, "-d", LONGEST, "--timeout", "5s", "--latency", ...scripted, url];
  const child = spawn("taskset", ["-c", String(cpu), "wrk", ...options], { stdio: ["ignore", "pipe", "pipe"] });
  const end = setTimeout(() => child.kill("SIGINT"), durationMs);
  const kill = (): boolean => child.kill("SIGKILL");
  process.once("exit", kill);
  try {
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    return parseWrk(stdout, stderr);
  } finally {
    clearTimeout(end);
    process.off("exit", kill);
  }
}

/** Reads what `wrk --latency` prints. */
export function parseWrk(stdout: string, stderr = ""): WrkResult {
  const requests = /(\d+) requests in /.exec(stdout)?.[1];
  const rate = /^Requests\/sec:\s+([\d.]+)/m.exec(stdout)?.[1];
  if (requests === undefined || rate === undefined) throw new Error(`wrk failed: ${stdout}${stderr}`);
  const wrong = /Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1];
  if (wrong !== undefined) throw new Error(`${wrong} of ${requests} answers were not 2xx or 3xx`);
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(stdout)?.slice(1) ?? [];
  return {
    requests: Number(requests),
    requestsPerSecond: Number(rate),
    p50Ms: quantile(stdout, 50),
    p99Ms: quantile(stdout, 99),
    errors: errors.reduce((sum, count) => sum + Number(count), 0),
  };
}

const UNIT_MS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1_000, m: 60_000 };

function quantile(stdout: string, percent: number): Milliseconds {
  const [, value, unit = ""] = new RegExp(`^\\s+${String(percent)}%\\s+([\\d.]+)(us|ms|s|m)$`, "m").exec(stdout) ?? [];
  return Number(value) * (UNIT_MS[unit] ?? Number.NaN);
}
