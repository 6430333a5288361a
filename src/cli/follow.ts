import { CATALOGUE } from "../model/catalogue.ts";
import { TealError, toTealError } from "../model/error.ts";
import type { DeploymentState } from "../model/deployment.ts";
import type { Clock } from "../model/time.ts";
import type { DeploymentAnswer, EventAnswer, TealClient } from "../sdk/client.ts";
import type { EventFeed } from "./feed.ts";
import { isSettled } from "./outcome.ts";
import { text } from "./words/data.ts";

export type Update =
  | { readonly kind: "event"; readonly event: EventAnswer }
  /** The deployment as it is now: first, and after each lost connection. */
  | { readonly kind: "snapshot"; readonly deployment: DeploymentAnswer }
  /** How far its steps are, now and then: that is in no event. */
  | { readonly kind: "progress"; readonly deployment: DeploymentAnswer }
  | { readonly kind: "lost" };

/** How long the counts of the last switch are waited for after the end: what drains longer is shown as still draining. */
const RECEIPT_PATIENCE_MS = 1_500;
/** How long events from before a lost connection are waited for when the deployment has ended meanwhile. */
const REPLAY_PATIENCE_MS = 500;
/** How often it is asked how far the steps are. */
const PROGRESS_MS = 5_000;
/** How long the server may be away when a deployment is asked for; its keeper restarts it within seconds. */
const SERVER_PATIENCE_MS = 60_000;

export interface Following {
  readonly client: TealClient;
  readonly id: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** States to stop at; those where nothing more happens by itself unless told. */
  readonly until?: (state: DeploymentState) => boolean;
}

/**
 * Follows a deployment until it has settled, across restarts of the server, and returns it as it then is.
 * @throws the signal's reason, `server-down` when the server stays away
 */
export async function followDeployment(
  feed: EventFeed,
  following: Following,
  onUpdate: (update: Update) => void,
): Promise<DeploymentAnswer> {
  const first = await look(following);
  onUpdate({ kind: "snapshot", deployment: first });
  const { until = isSettled } = following;
  if (!until(first.state)) {
    const over = new AbortController();
    const signal = AbortSignal.any([following.signal, over.signal]);
    try {
      void tellProgress({ ...following, signal }, onUpdate);
      await untilSettled(feed, { until, ...following }, onUpdate);
    } finally {
      over.abort(new TealError("aborted", "it has settled"));
    }
  }
  return finalReceipts(following);
}

/** Until the signal aborts. While the server is away there is nothing to be told; the feed says so. */
async function tellProgress(
  { client, id, clock, signal }: Following,
  onUpdate: (update: Update) => void,
): Promise<void> {
  while (!signal.aborted) {
    const asked = clock.sleep(PROGRESS_MS, signal).then(() => client.deployment(id, { signal }));
    const deployment = await asked.catch(() => null);
    if (deployment !== null && !signal.aborted) onUpdate({ kind: "progress", deployment });
  }
}

async function untilSettled(
  feed: EventFeed,
  following: Following & { readonly until: (state: DeploymentState) => boolean },
  onUpdate: (update: Update) => void,
): Promise<void> {
  const { clock, id, signal, until } = following;
  const items = feed[Symbol.asyncIterator]();
  let graceEnds = Promise.withResolvers<"settled">().promise;
  for (;;) {
    const item = await Promise.race([items.next(), graceEnds]);
    if (item === "settled" || item.done === true) return;
    const { value } = item;
    if (value.kind === "lost") onUpdate(value);
    if (value.kind === "open") {
      const deployment = await look(following);
      onUpdate({ kind: "snapshot", deployment });
      // What happened meanwhile is still on its way, and belongs on the screen before the end.
      if (until(deployment.state)) {
        graceEnds = clock.sleep(REPLAY_PATIENCE_MS, signal).then(() => "settled");
        // Raced above; when the end comes first, an abort of it afterwards is nobody's error.
        graceEnds.catch(() => undefined);
      }
    }
    if (value.kind !== "event" || value.event.deployment !== id) continue;
    onUpdate(value);
    const state = stateTold(value.event);
    if (state !== null && until(state)) return;
  }
}

/** Whether this event is the last one of a deployment that matters to who follows it. */
export function endsIt(event: EventAnswer): boolean {
  const state = stateTold(event);
  return state !== null && isSettled(state);
}

/** The state that a deployment has come to by this event, or null. */
export function stateTold(event: EventAnswer): DeploymentState | null {
  const to = event.type === "deployment-state" ? text(event.data, "to") : null;
  return to === null ? null : (to as DeploymentState);
}

async function finalReceipts(following: Following): Promise<DeploymentAnswer> {
  const { clock, signal } = following;
  const until = clock.monotonic() + RECEIPT_PATIENCE_MS;
  for (;;) {
    const deployment = await look(following);
    const draining = deployment.receipts.some(({ final }) => !final);
    if (!draining || clock.monotonic() >= until) return deployment;
    await clock.sleep(100, signal);
  }
}

/** The deployment now; a server that is being restarted is asked again. */
async function look({ client, id, clock, signal }: Following): Promise<DeploymentAnswer> {
  const until = clock.monotonic() + SERVER_PATIENCE_MS;
  for (;;) {
    try {
      return await client.deployment(id, { signal });
    } catch (thrown) {
      signal.throwIfAborted();
      const error = toTealError(thrown);
      if (!CATALOGUE[error.code].retryable || clock.monotonic() >= until) throw error;
      await clock.sleep(200, signal);
    }
  }
}
