import type { EpochMilliseconds, Milliseconds } from "../../src/model/time.ts";
import type { LostExample } from "./ledger.ts";

/** A process that was ended by force while requests went through it. */
export interface Kill {
  readonly target: "proxy" | "app";
  readonly at: EpochMilliseconds;
}

/**
 * A process that gets SIGKILL ends when the kernel comes to it, and its peers hear of that later still, on a busy machine.
 * Also covers the grain of the ledger's own times.
 */
const SLACK_MS: Milliseconds = 1_000;

/**
 * What is lost beyond what the contract allows (docs: "Lost"). After the death of a proxy: one request per connection that
 * it had accepted, cut before or in its answer. Of an instance: requests that had been written to it and may not be sent
 * again, as the order could be taken twice, or the answer had begun. Nothing else is excused by any kill.
 */
export function beyondAllowance(losses: readonly LostExample[], kills: readonly Kill[]): readonly LostExample[] {
  const cut = new Set<string>();
  return losses.filter((loss) => {
    const near = kills.filter(({ at }) => isInFlight(loss, at));
    if (near.some(({ target }) => target === "app") && mayDieWithItsInstance(loss)) return false;
    const proxy = near.find(
      (kill) => kill.target === "proxy" && mayDieWithItsProxy(loss) && !cut.has(keyOf(kill, loss)),
    );
    if (proxy === undefined) return true;
    cut.add(keyOf(proxy, loss));
    return false;
  });
}

/** An order that was written to an instance which then died, or an answer that had begun: neither may be asked for again. */
export function mayDieWithItsInstance({ method, reason, detail }: LostExample): boolean {
  return reason === "truncated" || (method === "POST" && reason === "teal-error" && detail === "502 bad-gateway");
}

function mayDieWithItsProxy({ connection, reason }: LostExample): boolean {
  return connection !== null && (reason === "reset" || reason === "truncated");
}

function isInFlight({ beganAt, at }: LostExample, killedAt: EpochMilliseconds): boolean {
  return beganAt <= killedAt + SLACK_MS && at >= killedAt - SLACK_MS;
}

function keyOf({ at }: Kill, { connection }: LostExample): string {
  return `${String(at)} ${String(connection)}`;
}
