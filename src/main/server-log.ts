import { type DestinationStream, type Logger, levels, pino, stdTimeFunctions } from "pino";
import type { Hub } from "../engine/hub.ts";
import { type DeploymentState, isEnded } from "../model/deployment.ts";
import type { Report } from "../model/error.ts";
import type { TealEvent } from "../model/event.ts";
import { LossyLines } from "./lossy-lines.ts";

/** What a server does by itself is told at `info`; what fails and is tried again, at `warn`; why it ends, at `fatal`. */
const USUAL_LEVEL = "info";

/** Told of a deployment at `info`. All other events are in the store, and in the log at `debug`. */
const TOLD: ReadonlySet<TealEvent["type"]> = new Set([
  "deployment-accepted",
  "deployment-state",
  "step-started",
  "step-completed",
  "step-failed",
  "step-undone",
  "split-applied",
  "split-reverted",
]);

/**
 * Fields of an event's data that the log repeats. What an app, a check or a person said is left to the store: a line of the
 * log may go where a secret in such words must not.
 */
const FIELDS = ["goal", "version", "from", "to", "uses", "attempt", "tookMs", "code", "weights", "generation"] as const;

/** The descriptor that the keeper has given a log's file: a full disk costs lines of it, and not the server. */
export function standardOutput(): DestinationStream {
  return new LossyLines(1, (lost, why) => {
    const line = { level: levels.values["warn"], time: new Date().toISOString(), pid: process.pid, lost };
    return `${JSON.stringify({ ...line, msg: `lines of this log were lost: ${why}` })}\n`;
  });
}

/** A log of JSON lines. `level`: `TEAL_LOG_LEVEL`, one of pino's; `info` when it is none. */
export function serverLog(level: string | undefined, destination?: DestinationStream): Logger {
  const known = level === undefined || level === "silent" || Object.hasOwn(levels.values, level);
  const options = {
    base: { pid: process.pid },
    timestamp: stdTimeFunctions.isoTime,
    level: known ? (level ?? USUAL_LEVEL) : USUAL_LEVEL,
  };
  const log = destination === undefined ? pino(options) : pino(options, destination);
  if (!known) log.warn({ levels: Object.keys(levels.values) }, "TEAL_LOG_LEVEL is none of the levels; it is info");
  return log;
}

/** Logs what went wrong where nobody waits for an answer. `about`: fields of the line. */
export function reporter(log: Logger): Report {
  return (problem, about) => {
    log.warn(
      { code: problem.code, ...about, err: problem.cause instanceof Error ? problem.cause : undefined },
      problem.message,
    );
  };
}

/** A line for each event that is written, with deployment, service, step and attempt as fields. */
export function logEvents(log: Logger, hub: Hub, signal: AbortSignal): void {
  const attempts = new Attempts();
  hub.subscribe(
    "event",
    (event) => {
      const attempt = attempts.of(event);
      log[TOLD.has(event.type) ? "info" : "debug"](fieldsOf(event, attempt), event.type);
    },
    signal,
  );
}

function fieldsOf(event: TealEvent, attempt: number | null): Record<string, unknown> {
  const { deployment, service, step, seq, data } = event;
  const about: Record<string, unknown> = Object.fromEntries(
    Object.entries({ deployment, service, step, attempt }).filter(([, value]) => value !== null),
  );
  const more: Record<string, unknown> = Object.fromEntries(
    FIELDS.filter((name) => data[name] !== undefined).map((name) => [name, data[name]]),
  );
  return { ...more, ...about, seq };
}

/** Only the event that begins an attempt says which it is. */
class Attempts {
  /** By deployment: of the step that it is at. */
  readonly #known = new Map<string, { readonly step: string | null; readonly attempt: number }>();

  of({ type, deployment, step, data }: TealEvent): number | null {
    if (deployment === null) return null;
    const { attempt, to } = data;
    if (type === "step-started" && typeof attempt === "number") this.#known.set(deployment, { step, attempt });
    const at = this.#known.get(deployment);
    if (type === "deployment-state" && isEnded(to as DeploymentState)) this.#known.delete(deployment);
    return step !== null && at?.step === step ? at.attempt : null;
  }
}
