import type { TealConfig } from "../config/config.ts";
import { TealError } from "../model/error.ts";
import type { Milliseconds } from "../model/time.ts";
import type { Call } from "./call.ts";

export interface StopTimes {
  readonly drainMs: Milliseconds;
  readonly stopMs: Milliseconds;
}

/** A person who stops everything does not want to wait for the longest drain of all. */
const LONGEST_PATIENCE_MS = 10_000;
/** What teal.yaml has where it says nothing. */
const DEFAULT_DRAIN_MS = 30_000;
const DEFAULT_STOP_MS = 30_000;

/** Who waits for the stop: a person, or a supervisor (systemd, a container engine) with a limit of its own. */
type Waiter = "person" | "supervisor";

/** How long draining and stopping may take. A broken teal.yaml must not keep anybody from stopping. */
export async function stopTimes(call: Call, config: string, waiter: Waiter): Promise<StopTimes> {
  const services = Object.values((await tryConfig(call, config))?.services ?? {});
  const drains = services.map(({ traffic }) => traffic.drainMs);
  const configured = drains.length === 0 ? DEFAULT_DRAIN_MS : Math.max(...drains);
  return {
    drainMs: waiter === "supervisor" ? configured : Math.min(configured, LONGEST_PATIENCE_MS),
    stopMs: Math.max(DEFAULT_STOP_MS, ...services.map(({ environment }) => environment.stop.timeoutMs)),
  };
}

async function tryConfig(call: Call, config: string): Promise<TealConfig | null> {
  try {
    return await call.parts.loadConfig(config, call.io.env);
  } catch (thrown) {
    if (thrown instanceof TealError) return null;
    throw thrown;
  }
}
