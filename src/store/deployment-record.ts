import type { Approval } from "../model/approval.ts";
import type { Deployment } from "../model/deployment.ts";
import type { TealEvent } from "../model/event.ts";
import type { Plan } from "../model/plan.ts";
import type { SeriesChunk } from "../model/series.ts";
import type { ServiceSpec } from "../model/service.ts";
import type { Receipt } from "../model/traffic.ts";
import type { StepRow, Store } from "./store.ts";

/** What is read at once. */
const PAGE = 1_000;
/** Of more events than both together those in between are left out: how it began and how it ended matters most. */
const FIRST = 2_500;
const LAST = 5_000;

/** All that is on record of one deployment. Steps, plan, events and traffic of old ones have been pruned. */
export interface DeploymentRecord {
  readonly deployment: Deployment;
  readonly steps: readonly StepRow[];
  readonly receipts: readonly Receipt[];
  readonly events: readonly TealEvent[];
  /** How many events are not among those, and after which of them they came; null: all are. */
  readonly leftOut: { readonly count: number; readonly after: TealEvent } | null;
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
    eventsOf(store, id),
    store.plan(id),
    store.approval(id),
    store.series(id),
    release === null ? null : store.release(service, release),
  ]);
  return { deployment, steps, receipts, ...events, plan, approval, series, spec: stored?.spec ?? null };
}

/** Page by page to the end; so many as a page of a report can bear. */
async function eventsOf(store: Store, id: string): Promise<Pick<DeploymentRecord, "events" | "leftOut">> {
  const first: TealEvent[] = [];
  let last: TealEvent[] = [];
  let count = 0;
  for (let after = 0; ;) {
    const page = await store.eventsOf(id, after, PAGE);
    const newest = page.at(-1);
    if (newest === undefined) break;
    after = newest.seq;
    const told = page.filter((event) => !isCount(event));
    const room = Math.max(0, FIRST - first.length);
    first.push(...told.slice(0, room));
    const all = [...last, ...told.slice(room)];
    last = all.slice(-LAST);
    count += all.length - last.length;
  }
  const border = first.at(-1);
  return {
    events: [...first, ...last],
    leftOut: count === 0 || border === undefined ? null : { count, after: border },
  };
}

/** How far the probes are: versions before wrote that every ten seconds. */
function isCount({ type, data }: TealEvent): boolean {
  return type === "step-progress" && data["probes"] !== undefined;
}
