import type { EnvironmentRecord, EnvironmentState } from "../model/environment.ts";
import { TealError } from "../model/error.ts";
import type { NewEvent } from "../model/event.ts";
import type { Release } from "../model/release.ts";
import type { Milliseconds } from "../model/time.ts";
import type { ActContext } from "../ports/context.ts";
import type { EnvironmentDriver } from "../ports/environment.ts";
import type { TrafficObservation } from "../ports/traffic.ts";
import type { EnvironmentChanged, EnvironmentRequest } from "./control.ts";
import { driverOf, type EngineParts } from "./parts.ts";
import { scaled } from "./scaled.ts";
import { known, type Survey, survey } from "./survey.ts";
import { inFlightOf, type TrafficDesk } from "./traffic-desk.ts";

const LOOK_EVERY_MS: Milliseconds = 100;
const MARGIN_MS: Milliseconds = 60_000;

/** What a person does to one environment. Each is idempotent, and recorded before it is done. */
interface Act {
  readonly parts: EngineParts;
  readonly desk: TrafficDesk;
  readonly request: EnvironmentRequest;
  readonly seen: Survey;
  readonly record: EnvironmentRecord;
  readonly release: Release;
  readonly driver: EnvironmentDriver;
  readonly context: ActContext;
}

/** @throws `still-has-traffic`, `rollback-target`, `deployment-running`, `environment-unknown`, `data-plane-down` */
export async function stopEnvironment(
  parts: EngineParts,
  desk: TrafficDesk,
  request: EnvironmentRequest,
): Promise<EnvironmentChanged> {
  const act = await prepared(parts, desk, request);
  if (act === null) return changed(request, "absent", false);
  const { service, environment } = request;
  const { driver, record, release, context } = act;
  const { instances } = await driver.observe(service, environment, context.signal);
  if (record.desired === "stopped" && instances.length === 0) return changed(request, "absent", false);
  await throwIfInUse(act);
  await write(act, { ...record, desired: "stopped" }, "stopping");
  await desk.refresh(service, release, context);
  await driver.stop(service, environment, context);
  await parts.journal.append(told(act, "absent"));
  return changed(request, "absent", true);
}

/** Returns when every instance is healthy and the data plane knows it. @throws `no-release`, `not-healthy`, … */
export async function startEnvironment(
  parts: EngineParts,
  desk: TrafficDesk,
  request: EnvironmentRequest,
): Promise<EnvironmentChanged> {
  const act = await prepared(parts, desk, request);
  if (act === null) throw withoutRelease(request);
  const { record, release, driver, context } = act;
  const { state, instances } = await driver.observe(request.service, request.environment, context.signal);
  const isUp = record.desired === "running" && state === "ready" && instances.length >= release.spec.environment.count;
  if (isUp) return changed(request, "ready", false);
  await write(act, { ...record, desired: "running" }, "starting");
  await run(act);
  return changed(request, "ready", true);
}

/**
 * Another number of instances, until the next deploy to this environment. More is possible at any time; fewer only without
 * traffic. One that is stopped keeps the number for its next start.
 * @throws `no-release`, `still-has-traffic`, `not-healthy`, …
 */
export async function scaleEnvironment(
  parts: EngineParts,
  desk: TrafficDesk,
  request: EnvironmentRequest & { readonly count: number },
): Promise<EnvironmentChanged> {
  const act = await prepared(parts, desk, request);
  if (act === null) throw withoutRelease(request);
  const { record, release, driver, context } = act;
  const { count, service, environment } = request;
  const { instances, state } = await driver.observe(service, environment, context.signal);
  const same = release.spec.environment.count === count;
  if (record.desired === "stopped") {
    if (!same) await write(act, { ...record, count }, "absent");
    return changed(request, "absent", !same);
  }
  if (same && instances.length === count && state === "ready") return changed(request, state, false);
  if (instances.length > count) await throwIfInUse(act);
  await write(act, { ...record, count }, "starting");
  await run({ ...act, release: scaled(release, { release: release.id, count }) });
  return changed(request, "ready", true);
}

/** Null: nothing was ever released there, or it is retired. */
async function prepared(parts: EngineParts, desk: TrafficDesk, request: EnvironmentRequest): Promise<Act | null> {
  const { service, environment, signal } = request;
  const seen = await survey(parts, service, signal);
  known(seen, environment);
  throwIfNeeded(seen, environment);
  const found = seen.environments.find(({ name }) => name === environment);
  if (found?.record == null || found.release === null) return null;
  const release = scaled(found.release, found.record);
  const { health, traffic, environment: spec } = release.spec;
  const ms = health.deadlineMs + traffic.drainMs + spec.stop.timeoutMs + MARGIN_MS;
  const context = {
    // Once it is recorded it is done, also when who asked has gone.
    signal: AbortSignal.timeout(ms),
    fence: seen.row.fence,
    idempotencyKey: `environment/${service}/${environment}`,
    attempt: 1,
    deadline: parts.clock.monotonic() + ms,
  };
  const driver = driverOf(parts.environments, spec.driver);
  return { parts, desk, request, seen, record: found.record, release, driver, context };
}

/** A deployment under way needs both of its environments: one to go to, one to go back to. */
function throwIfNeeded({ unfinished }: Survey, environment: string): void {
  if (unfinished === null) return;
  const { id, goal, from, to, state } = unfinished;
  if (environment === from)
    throw new TealError("rollback-target", `${id} is ${state}, and would go back to ${environment}`);
  if (environment === to) throw new TealError("deployment-running", `the ${goal} ${id} on ${environment} is ${state}`);
}

/** Invariant 10: observed to have no traffic, and no request in flight any more. */
async function throwIfInUse({ parts, desk, request, seen, release, context }: Act): Promise<void> {
  const { service, environment } = request;
  const end = parts.clock.monotonic() + release.spec.traffic.drainMs;
  for (;;) {
    const live: TrafficObservation = await desk.driver(release).observe(service, context.signal);
    const weight = (live.split?.weights ?? seen.row.weights)[environment] ?? 0;
    if (weight > 0) throw new TealError("still-has-traffic", `${environment} has ${String(weight)} % of the traffic`);
    const left = inFlightOf(live, environment);
    if (left === 0) return;
    if (parts.clock.monotonic() >= end)
      throw new TealError("still-has-traffic", `${environment} still has ${String(left)} requests in flight`);
    await parts.clock.sleep(LOOK_EVERY_MS, context.signal);
  }
}

async function run(act: Act): Promise<void> {
  const { parts, desk, request, release, driver, context } = act;
  const { service, environment } = request;
  if (release.spec.release.kind !== "none" && !(await parts.releases.exists(service, release.id)))
    throw new TealError("release-missing", `the folder of ${release.id} is gone: ${release.directory}`);
  const variables = await parts.configuration.resolve(release.spec.environment);
  await driver.start({ service, environment, release, variables }, context);
  await untilReady(act);
  await desk.refresh(service, release, context);
  await parts.journal.append(told(act, "ready"));
}

async function untilReady({ parts, request, release, driver, context }: Act): Promise<void> {
  const { service, environment } = request;
  const { count } = release.spec.environment;
  const { deadlineMs } = release.spec.health;
  const end = parts.clock.monotonic() + deadlineMs;
  for (;;) {
    const { instances } = await driver.observe(service, environment, context.signal);
    if (instances.length >= count && instances.every(({ state }) => state === "ready")) return;
    const lost = instances.find(({ state }) => state === "failed" || state === "crash-loop");
    if (lost !== undefined) throw new TealError(lost.code ?? "crash-loop", `${lost.id}: ${lost.reason ?? lost.state}`);
    if (parts.clock.monotonic() >= end)
      throw new TealError("not-healthy", `${environment} is not healthy within ${String(deadlineMs / 1000)} s`);
    await parts.clock.sleep(LOOK_EVERY_MS, context.signal);
  }
}

function write(act: Act, record: EnvironmentRecord, state: EnvironmentState): Promise<void> {
  const { parts, request, context } = act;
  return parts.journal.transition({
    service: request.service,
    fence: context.fence,
    environments: [record],
    events: [told({ ...act, record }, state)],
  });
}

function told({ parts, request, record }: Act, state: EnvironmentState): NewEvent {
  const { service, environment, by, reason } = request;
  const count = record.count === undefined ? {} : { count: record.count };
  return parts.journal.event(
    "environment",
    { environment, state, release: record.release, by, reason, ...count },
    { service },
  );
}

function withoutRelease({ service, environment }: EnvironmentRequest): TealError {
  return new TealError("no-release", `${environment} of ${service} has no release to run`);
}

function changed(
  { service, environment }: EnvironmentRequest,
  state: EnvironmentState,
  hasChanged: boolean,
): EnvironmentChanged {
  return { service, environment, state, changed: hasChanged, deployment: null };
}
