import { toTealError } from "../model/error.ts";
import type { Milliseconds } from "../model/time.ts";
import { accept, planned } from "./admission.ts";
import type { Fleet } from "./fleet.ts";
import type { KeyedMutex } from "./mutex.ts";
import type { EngineParts } from "./parts.ts";

/** How often due retirements are looked for: they are due hours after a deployment, so a few seconds do not matter. */
const LOOK_EVERY_MS: Milliseconds = 1_000;
/** A retirement that cannot be done now (a deployment has the service, requests are still in flight) is tried again after this. */
const AGAIN_MS: Milliseconds = 60_000;

const ASKER = { by: "teal", reason: "its time as a warm standby is over", idempotencyKey: null };

interface Retiring {
  readonly fleet: Fleet;
  /** What is asked of each service, one after another. */
  readonly queue: KeyedMutex;
}

/** Retires each environment when its time as a warm standby is over. Runs until the signal aborts. */
export async function keepRetiring(parts: EngineParts, { fleet, queue }: Retiring, stop: AbortSignal): Promise<void> {
  const postponed = new Map<string, Milliseconds>();
  for (;;) {
    try {
      await parts.clock.sleep(LOOK_EVERY_MS, stop);
    } catch {
      // The engine stops: that is the end of this loop, not a failure.
      return;
    }
    await retireDue(parts, { fleet, queue }, stop, postponed);
  }
}

async function retireDue(
  parts: EngineParts,
  { fleet, queue }: Retiring,
  stop: AbortSignal,
  postponed: Map<string, Milliseconds>,
): Promise<void> {
  try {
    for (const { service, environment, at } of await parts.store.retirements()) {
      if (at > parts.clock.now() || (postponed.get(service) ?? 0) > parts.clock.monotonic()) continue;
      if (fleet.of(service) !== null) continue;
      postponed.set(service, parts.clock.monotonic() + AGAIN_MS);
      // In turn with what people ask for: nobody gives it traffic between the look and the start. Not waited for here, so
      // that neither other services nor the end of the server wait for a person's act.
      void queue
        .run(service, async () => {
          if (stop.aborted || fleet.of(service) !== null) return;
          const what = await planned(parts, { goal: "retire", service, to: environment }, stop);
          const row = await parts.store.service(service);
          const { deployment } = await accept(parts, what, ASKER);
          fleet.start(deployment, what.release, row?.fence ?? 0);
        })
        .catch((thrown: unknown) => {
          if (!stop.aborted) parts.report(toTealError(thrown), { service, doing: "retirement" });
        });
    }
  } catch (thrown) {
    if (!stop.aborted) parts.report(toTealError(thrown), { doing: "retirement" });
  }
}
