import { TealError } from "../../model/error.ts";
import type { TealEvent } from "../../model/event.ts";
import type { Transition } from "../store.ts";
import type { Database } from "./database.ts";
import { changeDeployment } from "./deployments.ts";
import { putEnvironment } from "./environments.ts";
import { appendEvents } from "./events.ts";
import { putMaintenance } from "./maintenance.ts";
import { putReceipt } from "./receipts.ts";
import { putRelease } from "./releases.ts";
import { cancelRetirement, putRetirement } from "./retirements.ts";
import { changeService, checkFence } from "./services.ts";
import { changeStep } from "./steps.ts";

/** Writes one transition inside the caller's transaction; any refusal takes all of it back. */
export function applyTransition(database: Database, change: Transition): TealEvent[] {
  const current = checkFence(database, change.service, change.fence);
  if (change.deployment !== undefined) changeDeployment(database, change, change.deployment);
  for (const step of change.steps ?? []) {
    if (change.deployment === undefined) {
      throw new TealError("internal", `a change of step ${step.id} of ${change.service} names no deployment`);
    }
    changeStep(database, change.deployment.id, step);
  }
  if (change.release !== undefined) putRelease(database, change.release);
  for (const environment of change.environments ?? []) putEnvironment(database, environment);
  if (change.retirement !== undefined) {
    if ("set" in change.retirement) putRetirement(database, change.retirement.set);
    else cancelRetirement(database, change.service, change.retirement.cancel);
  }
  if (change.receipt !== undefined) putReceipt(database, change.receipt);
  if (change.maintenance !== undefined) putMaintenance(database, change.service, change.maintenance);
  changeService(database, current, change);
  return appendEvents(database, change.events);
}
