import { TealError } from "../model/error.ts";
import type { NewEvent } from "../model/event.ts";
import type { Release } from "../model/release.ts";
import type { Milliseconds } from "../model/time.ts";
import { sameWeights, type Weights, weightsProblem, wholeOf } from "../model/traffic.ts";
import type { TrafficObservation } from "../ports/traffic.ts";
import type { ServiceRow, Transition } from "../store/store.ts";
import type { TrafficRequest, TrafficSet } from "./control.ts";
import type { EngineParts } from "./parts.ts";
import type { Run } from "./run.ts";
import type { TrafficDesk } from "./traffic-desk.ts";
import { throwIfUnhealthy } from "./unhealthy.ts";

const APPLY_MS: Milliseconds = 30_000;

interface ByHand {
  readonly service: string;
  readonly request: TrafficRequest;
  readonly signal: AbortSignal;
}

/** What is to be, and what it is made from. */
interface Order extends ByHand {
  readonly row: ServiceRow;
  readonly seen: TrafficObservation;
  readonly release: Release;
  readonly weights: Weights;
}

/**
 * A person sets the split. The intent is journaled under the fence, then the data plane gets it, then it is recorded as
 * Teal's own. During a deployment that stays armed, so that an abort still takes it back.
 * @throws `deployment-running`, `unhealthy`, `no-release`, `environment-unknown`, `request-invalid`
 */
export async function setByHand(
  parts: EngineParts,
  desk: TrafficDesk,
  run: Run | null,
  what: ByHand,
): Promise<TrafficSet> {
  const { service, request } = what;
  if (run !== null) throwIfBusy(run, request.force);
  return desk.alone(service, async () => {
    await throwIfOthers(parts, service, run, request.force);
    const order = await ordered(parts, desk, what);
    const { seen, row, weights } = order;
    if (seen.split !== null && sameWeights(seen.split.weights, weights)) return keep(parts, run, order);
    if (!request.force) await throwIfAnyUnhealthy(parts, order);
    const generation = Math.max(seen.split?.generation ?? 0, row.generation) + 1;
    const { by, reason, force } = request;
    const told = { weights, generation, by, reason, forced: force };
    await write(parts, run, order, {}, [parts.journal.event("traffic-asked", told, about(service, run))]);
    const receipt = await desk.apply(
      service,
      { weights, ...arming(run), generation, release: order.release },
      seen,
      context(parts, run, order),
    );
    const change = {
      split: { generation, weights },
      receipt,
      ...(run === null ? await following(parts, order) : rolesWhileFrozen(run, weights)),
    };
    await write(parts, run, order, change, [
      parts.journal.event("split-applied", { weights, generation }, about(service, run)),
      parts.journal.event("receipt", { ...receipt }, about(service, run)),
    ]);
    return { service, weights, generation, receipt };
  });
}

/**
 * After a crash between a split set by hand and its record: all the traffic on one environment makes that the active one.
 * (Weights are read back by every refresh.)
 */
export async function readBack(parts: EngineParts, row: ServiceRow, { split }: TrafficObservation): Promise<void> {
  const { service, fence } = row;
  const whole = split === null ? null : wholeOf(split.weights);
  if (split === null || whole === null || whole === row.active || split.generation <= row.generation) return;
  const { weights, generation } = split;
  await parts.journal.transition({
    service,
    fence,
    split: { generation, weights },
    roles: { active: whole, standby: row.active },
    events: [parts.journal.event("split-applied", { weights, generation }, { service })],
  });
}

/**
 * Before its first shift and on its way back a deployment starts and stops environments: what it is about to stop must get
 * no traffic, not even by force.
 */
function throwIfBusy({ deployment, holding }: Run, force: boolean): void {
  const { id, state, goal, touchedTraffic } = deployment;
  const mayBe = goal !== "retire" && state !== "rolling-back" && (touchedTraffic || state === "waiting");
  if (mayBe && (force || holding.now !== null)) return;
  throw new TealError("deployment-running", `${id} is ${state} and sets the split itself`, {
    remedy: mayBe
      ? "Wait for it, or `teal abort`; --force sets the split in the middle of it."
      : "Wait for it, or `teal abort`.",
  });
}

/** What has changed while this waited for its turn; an engine that is about to stop may have left a deployment alone. */
async function throwIfOthers({ store }: EngineParts, service: string, run: Run | null, force: boolean): Promise<void> {
  if (run !== null) {
    throwIfBusy(run, force);
    return;
  }
  const [unfinished] = await store.unfinished(service);
  if (unfinished === undefined) return;
  throw new TealError("deployment-running", `${unfinished.id} is ${unfinished.state} and sets the split itself`);
}

/** An abort is still to take it back at once. A frozen deployment is latched: nothing of it is taken any more. */
function arming(run: Run | null): { readonly deployment: string | null; readonly revertTo: Weights | null } {
  if (run === null || run.deployment.state === "frozen") return { deployment: null, revertTo: null };
  const { id, from, to } = run.deployment;
  return { deployment: id, revertTo: from === null || from === to ? null : { [from]: 100, [to]: 0 } };
}

/** A frozen deployment may be ended where it stands: the roles are then those of the split. */
function rolesWhileFrozen({ deployment }: Run, weights: Weights): Partial<Transition> {
  const { state, from, to } = deployment;
  const whole = wholeOf(weights);
  if (state !== "frozen" || whole === null) return {};
  return { roles: { active: whole, standby: whole === to ? from : to } };
}

async function ordered(parts: EngineParts, desk: TrafficDesk, what: ByHand): Promise<Order> {
  const { service, request, signal } = what;
  const row = await parts.store.service(service);
  if (row === null && !parts.configuration.services().includes(service))
    throw new TealError("service-unknown", `there is no service ${service}`);
  const release = await desk.leading(service);
  if (row === null || release === null) throw new TealError("no-release", `${service} has had no release yet`);
  const seen = await desk.driver(release).observe(service, signal);
  const order = { ...what, row, release, seen };
  if ("weights" in request.wish) return { ...order, weights: await complete(parts, order, request.wish.weights) };
  const live = seen.split?.weights ?? row.weights;
  return { ...order, weights: request.wish.drift === "adopt" ? live : row.weights };
}

/** Environments that are not named get nothing. */
async function complete(
  { store }: EngineParts,
  { service, row }: { readonly service: string; readonly row: ServiceRow },
  weights: Weights,
): Promise<Weights> {
  const problem = weightsProblem(weights);
  if (problem !== null) throw new TealError("request-invalid", problem);
  const known = (await store.environments(service)).filter(({ release }) => release !== null).map(({ name }) => name);
  const unknown = Object.keys(weights).find((name) => !known.includes(name) && (weights[name] ?? 0) > 0);
  if (unknown !== undefined) {
    throw new TealError(
      "environment-unknown",
      `${service} has no environment ${unknown} with a release; it has ${known.join(", ")}`,
    );
  }
  const all = [...Object.keys(row.weights), ...known.filter((name) => name in weights)];
  return Object.fromEntries([...new Set(all)].map((name) => [name, weights[name] ?? 0]));
}

/** Those that are to get more than they have. */
async function throwIfAnyUnhealthy(parts: EngineParts, order: Order): Promise<void> {
  const { service, seen, weights, signal, release } = order;
  for (const [environment, weight] of Object.entries(weights)) {
    if (weight <= (seen.split?.weights[environment] ?? 0)) continue;
    await throwIfUnhealthy(parts, { service, environment, release }, seen, signal);
  }
}

/** The data plane has it already: the record follows, where it says something else. */
async function keep(parts: EngineParts, run: Run | null, order: Order): Promise<TrafficSet> {
  const { service, seen, row, weights, request } = order;
  const generation = Math.max(seen.split?.generation ?? 0, row.generation);
  if (!sameWeights(row.weights, weights)) {
    const { by, reason, force } = request;
    const told = { weights, generation, by, reason, forced: force };
    const roles = run === null ? await following(parts, order) : rolesWhileFrozen(run, weights);
    await write(parts, run, order, { split: { generation, weights }, ...roles }, [
      parts.journal.event("traffic-asked", told, about(service, run)),
    ]);
  }
  return { service, weights, generation, receipt: null };
}

/** What a split means for roles and retirement when no deployment has a say in them. */
async function following({ store, clock }: EngineParts, order: Order): Promise<Partial<Transition>> {
  const { service, row, weights, release } = order;
  const whole = wholeOf(weights);
  const planned = (await store.retirements(service))[0];
  const cancels = planned !== undefined && (weights[planned.environment] ?? 0) > 0 ? planned.environment : null;
  if (whole === null || whole === row.active || row.active === null)
    return cancels === null ? {} : { retirement: { cancel: cancels } };
  const at = clock.now() + release.spec.deploy.keepStandbyMs;
  return {
    roles: { active: whole, standby: row.active },
    retirement: { set: { service, environment: row.active, release: release.id, at } },
  };
}

async function write(
  parts: EngineParts,
  run: Run | null,
  { service, row }: Order,
  change: Partial<Transition>,
  events: readonly NewEvent[],
): Promise<void> {
  const told = [...events, ...retirementEvents(parts, service, change)];
  if (run === null) await parts.journal.transition({ ...change, service, fence: row.fence, events: told });
  // The intent says already that there is traffic to take back.
  else await run.write({ ...change, deployment: { id: run.deployment.id, touchedTraffic: true } }, told);
}

function retirementEvents({ journal }: EngineParts, service: string, { retirement }: Partial<Transition>): NewEvent[] {
  if (retirement === undefined) return [];
  if ("cancel" in retirement)
    return [journal.event("retirement-cancelled", { environment: retirement.cancel }, { service })];
  const { environment, at } = retirement.set;
  return [journal.event("retirement-scheduled", { environment, at }, { service })];
}

function about(service: string, run: Run | null): { service: string; deployment?: string } {
  return { service, ...(run === null ? {} : { deployment: run.deployment.id }) };
}

function context(parts: EngineParts, run: Run | null, { row, signal, service }: Order) {
  return {
    signal: AbortSignal.any([signal, AbortSignal.timeout(APPLY_MS)]),
    fence: run?.fence ?? row.fence,
    idempotencyKey: `by-hand/${service}/${String(row.generation)}`,
    attempt: 1,
    deadline: parts.clock.monotonic() + APPLY_MS,
  };
}
