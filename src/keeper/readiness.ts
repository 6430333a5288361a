import type { HealthSpec } from "../model/service.ts";
import type { Clock, Milliseconds } from "../model/time.ts";
import { checkHealth } from "../wire/health-check.ts";
import { ListeningSockets } from "./listeners.ts";
import { portOwner } from "./port-owner.ts";
import type { SharedReading } from "./shared-reading.ts";

/** Wait between two looks while nothing listens yet, so that an app's start costs no more than it takes. */
const EAGER_MS: Milliseconds = 25;
/** Of an app that takes its time. */
const PATIENT_MS: Milliseconds = 100;
const EAGER_LOOKS = 200;

export type Readiness = { readonly kind: "ready" } | { readonly kind: "stranger"; readonly reason: string };

export interface ReadinessTarget {
  readonly port: number;
  /** The instance's first process. */
  readonly pid: number;
  readonly health: HealthSpec;
  readonly listening: SharedReading<ListeningSockets>;
}

/**
 * Probes until the instance has given `healthyAfter` good answers in a row and the listening socket is its own.
 * `report` gets the reason why it is not ready yet, at each look. Runs until the signal aborts.
 * @throws the signal's reason
 */
export async function untilReady(
  instance: ReadinessTarget,
  clock: Clock,
  report: (reason: string) => void,
  signal: AbortSignal,
): Promise<Readiness> {
  const { port, pid, health, listening } = instance;
  let good = 0;
  for (let look = 0; ; look += 1) {
    const began = clock.monotonic();
    const result = await checkHealth({ host: "127.0.0.1", port }, health, signal);
    signal.throwIfAborted();
    if (result.kind === "refused") {
      good = 0;
      report(`nothing listens on port ${String(port)} yet; the app must listen on $PORT`);
      await clock.sleep(look < EAGER_LOOKS ? EAGER_MS : PATIENT_MS, signal);
      continue;
    }
    const seen = portOwner(await listening.fresh(), port, pid);
    // It answers, so somebody listens: a kernel that is not Linux's own may list that among the connections.
    const owner = seen.kind === "nobody" ? portOwner(new ListeningSockets(true), port, pid) : seen;
    signal.throwIfAborted();
    if (owner.kind === "stranger") return { kind: "stranger", reason: `port ${String(port)} belongs to ${owner.who}` };
    good = result.kind === "good" && owner.kind === "own" ? good + 1 : 0;
    if (good >= health.healthyAfter) return { kind: "ready" };
    const passed = `${String(good)} of ${String(health.healthyAfter)} health checks passed`;
    const unseen = `something answers on port ${String(port)}, and it cannot be seen who listens there`;
    report(result.kind === "bad" ? result.reason : owner.kind === "own" ? passed : unseen);
    await clock.sleep(Math.max(0, health.intervalMs - (clock.monotonic() - began)), signal);
  }
}
