import type { Approval } from "../model/approval.ts";
import type { Deployment } from "../model/deployment.ts";
import type { TealEvent } from "../model/event.ts";
import type { Plan } from "../model/plan.ts";
import type { SeriesChunk } from "../model/series.ts";
import type { ServiceSpec } from "../model/service.ts";
import type { Receipt } from "../model/traffic.ts";
import type { StepRow, Store } from "./store.ts";

/** A deployment has hundreds of events at the most, but for what its smoke command prints. */
const MOST_EVENTS = 5_000;

/** All that is on record of one deployment. Steps, plan, events and traffic of old ones have been pruned. */
export interface DeploymentRecord {
  readonly deployment: Deployment;
  readonly steps: readonly StepRow[];
  readonly receipts: readonly Receipt[];
  readonly events: readonly TealEvent[];
  readonly plan: Plan | null;
  readonly approval: Approval | null;
  readonly series: readonly SeriesChunk[];
  /** The configuration that its release was frozen with; null when the release is gone. */
  readonly spec: ServiceSpec | null;
}

/** Null: there is no such deployment. */
export async function deploymentRecord(store: Store, id: string): Promise<DeploymentRecord | null> {
  const deployment = await store.deployment(id);
  if (deployment === null) return null;
  const { service, release } = deployment;
  const [steps, receipts, events, plan, approval, series, stored] = await Promise.all([
    store.steps(id),
    store.receipts(id),
    store.eventsOf(id, MOST_EVENTS),
    store.plan(id),
    store.approval(id),
    store.series(id),
    release === null ? null : store.release(service, release),
  ]);
  return { deployment, steps, receipts, events, plan, approval, series, spec: stored?.spec ?? null };
}
