import type { HttpCheck } from "../../model/service.ts";
import type { Clock } from "../../model/time.ts";
import type { CheckResult, ProbeMark, SmokeRun, Validator } from "../../ports/validation.ts";
import { commandCheck } from "./command.ts";
import { endpointCheck } from "./endpoint.ts";
import { httpCheck, probe } from "./http.ts";

/** What every child gets from Teal's own environment (DESIGN section 10). */
const INHERITED = ["PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR"] as const;

export interface LocalValidatorOptions {
  readonly clock: Clock;
  /** Teal's own environment. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** Checks from this machine: HTTP to the instance's address, commands as child processes. */
export class LocalValidator implements Validator {
  readonly #clock: Clock;
  readonly #inherited: Readonly<Record<string, string>>;

  constructor({ clock, environment = process.env }: LocalValidatorOptions) {
    this.#clock = clock;
    this.#inherited = Object.fromEntries(
      INHERITED.flatMap((name) => {
        const value = environment[name];
        return value === undefined ? [] : [[name, value]];
      }),
    );
  }

  http(baseUrl: string, check: HttpCheck, signal: AbortSignal): Promise<CheckResult> {
    return httpCheck(baseUrl, check, this.#clock, signal);
  }

  probe(baseUrl: string, check: HttpCheck, mark: ProbeMark, signal: AbortSignal): Promise<CheckResult> {
    return probe(baseUrl, check, mark, this.#clock, signal);
  }

  endpoint(baseUrl: string, path: string, signal: AbortSignal): Promise<CheckResult> {
    return endpointCheck(baseUrl, path, this.#clock, signal);
  }

  command(run: SmokeRun, signal: AbortSignal): Promise<CheckResult> {
    return commandCheck(run, this.#inherited, this.#clock, signal);
  }
}
