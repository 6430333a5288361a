import { TealError, toTealError } from "../model/error.ts";
import type { NewEvent } from "../model/event.ts";
import type { Milliseconds } from "../model/time.ts";
import { sameWeights, type TrafficSplit } from "../model/traffic.ts";
import { aboutOf } from "./about.ts";
import type { Running } from "./running.ts";
import { healthyIn } from "./traffic-desk.ts";

const LOOK_EVERY_MS: Milliseconds = 1_000;
const APPLY_MS: Milliseconds = 30_000;

/**
 * Invariant 11: the old environment has no healthy instance while the new one has, so the data plane kept the split.
 * Waits, with an alarm, until the old one is healthy again, and goes back then. Returns false when a person ends the
 * deployment where it stands (`teal abort`): the traffic stays as it is.
 */
export async function thaw(run: Running, stop: AbortSignal): Promise<boolean> {
  const { deployment, parts, release } = run;
  const { from, to, service } = deployment;
  if (from === null) return true;
  const driver = run.desk.driver(release);
  while (!run.givenUp) {
    try {
      const seen = await driver.observe(service, stop);
      if ((seen.split?.weights[to] ?? 0) === 0) {
        await isBack(run, seen.split);
        return true;
      }
      if (healthyIn(seen, from) > 0) {
        await goBack(run, stop);
        return true;
      }
      await freeze(run, from, to);
    } catch (thrown) {
      stop.throwIfAborted();
      const problem = toTealError(thrown);
      if (problem.code === "fenced") throw problem;
      parts.report(problem, { ...aboutOf(run.deployment), doing: "thaw" });
    }
    await lookAgain(run, stop);
  }
  return false;
}

/** After a while, or when a person says so. */
async function lookAgain(run: Running, stop: AbortSignal): Promise<void> {
  const woken = new AbortController();
  const tick = run.parts.clock.sleep(LOOK_EVERY_MS, AbortSignal.any([stop, woken.signal]));
  tick.catch(() => undefined);
  try {
    await Promise.race([tick, run.holding.woken]);
  } finally {
    woken.abort(new TealError("aborted", "looked again"));
  }
}

/**
 * A person has moved the traffic to where it belongs (`teal traffic --set`, on record already), or the data plane was told
 * to revert again when that was no longer worse (`teal abort --direct`, a server that came back).
 */
async function isBack(run: Running, live: TrafficSplit | null): Promise<void> {
  const { deployment, parts } = run;
  const { id, from, to, service } = deployment;
  const row = await parts.store.service(service);
  if (from === null || row === null || live === null) return;
  const split = { generation: Math.max(live.generation, row.generation), weights: live.weights };
  await run.write(
    { deployment: { id, state: "rolling-back" }, split, roles: { active: from, standby: to } },
    sameWeights(row.weights, live.weights) ? [] : [run.event("split-reverted", { ...split, cause: "thaw" })],
  );
  run.holding.obeyed();
}

/** Who has asked to try again, when it is done for them. */
function resumedEvents(run: Running): NewEvent[] {
  const { order } = run.holding;
  return order === null
    ? []
    : [run.event("resumed", { kind: "frozen", drift: null, by: order.by, reason: order.reason })];
}

/** The alarm, once. Who asks to resume meanwhile is told why it cannot be. */
async function freeze(run: Running, from: string, to: string): Promise<void> {
  const hold = {
    kind: "frozen",
    message: `${from} has no healthy instance, so the traffic stays on ${to}: going back would be worse`,
    remedy: `Mend ${from}: it is taken back by itself then, or at once by \`teal resume\`. \`teal traffic --set ${from}=100,${to}=0 --force\` moves the traffic all the same; \`teal abort\` ends it and leaves the traffic on ${to}.`,
  } as const;
  run.holding.refuse(new TealError("unhealthy", hold.message, { remedy: hold.remedy }));
  run.holding.set(hold);
  if (run.deployment.state === "frozen") return;
  await run.write({ deployment: { id: run.deployment.id, state: "frozen" } }, [
    run.event("warning", {
      code: "unhealthy",
      message: hold.message,
      remedy: hold.remedy,
    }),
  ]);
}

async function goBack(run: Running, stop: AbortSignal): Promise<void> {
  const { deployment, parts, desk, fence, release } = run;
  const { from, to, service, id } = deployment;
  if (from === null) return;
  const weights = { [from]: 100, [to]: 0 };
  const context = {
    signal: AbortSignal.any([stop, AbortSignal.timeout(APPLY_MS)]),
    fence,
    idempotencyKey: `${id}/thaw`,
    attempt: 1,
    deadline: parts.clock.monotonic() + APPLY_MS,
  };
  await desk.alone(service, async () => {
    const seen = await desk.driver(release).observe(service, context.signal);
    const row = await parts.store.service(service);
    const generation = Math.max(seen.split?.generation ?? 0, row?.generation ?? 0) + 1;
    await desk.apply(service, { weights, deployment: null, revertTo: null, generation, release }, seen, context);
    await run.write(
      {
        deployment: { id, state: "rolling-back" },
        split: { generation, weights },
        roles: { active: from, standby: to },
      },
      [...resumedEvents(run), run.event("split-reverted", { weights, generation, cause: "thaw" })],
    );
    run.holding.obeyed();
  });
}
