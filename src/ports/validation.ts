import type { HttpCheck } from "../model/service.ts";
import type { Milliseconds } from "../model/time.ts";

export interface CheckResult {
  readonly passed: boolean;
  /** What was seen, for a person: `GET / answered 500, expected 200`. */
  readonly summary: string;
  readonly tookMs: Milliseconds;
}

/** Runs the checks of validation, and probes, against an environment's own address. */
export interface Validator {
  http(baseUrl: string, check: HttpCheck, signal: AbortSignal): Promise<CheckResult>;
  /** The same request, marked as a probe: `Teal-Probe` names the deployment that it is for. What takes longer fails. */
  probe(baseUrl: string, check: HttpCheck, mark: ProbeMark, signal: AbortSignal): Promise<CheckResult>;
  /** Passes on 200, unless its JSON says `deployment_ready: false` (then `checks` in it say why). */
  endpoint(baseUrl: string, path: string, signal: AbortSignal): Promise<CheckResult>;
  /**
   * Runs a smoke command in the release's folder. Exit 0 passes. Its last lines of output are in the summary. When the
   * signal aborts, its whole process group is ended.
   */
  command(run: SmokeRun, signal: AbortSignal): Promise<CheckResult>;
}

export interface ProbeMark {
  readonly deployment: string;
  readonly timeoutMs: Milliseconds;
}

export interface SmokeRun {
  readonly command: string | readonly string[];
  readonly directory: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly onLine: (line: string) => void;
}
