import { toTealError } from "../model/error.ts";
import {
  MAINTENANCE_DEFAULTS,
  type MaintenanceOrder,
  type MaintenancePage,
  type MaintenanceSpec,
} from "../model/maintenance.ts";
import type { Release } from "../model/release.ts";
import type { MaintenanceRequest } from "./control.ts";
import type { EngineParts } from "./parts.ts";

/** An order, and what a person should know of how it came about. */
export interface MadeOrder {
  readonly order: MaintenanceOrder;
  readonly warnings: readonly string[];
}

/** Always the same, so that it needs no file and the same again changes nothing. */
export const OFF: MaintenanceOrder = {
  mode: "off",
  until: null,
  endsIn: "off",
  page: null,
  status: MAINTENANCE_DEFAULTS.status,
  retryAfterMs: MAINTENANCE_DEFAULTS.retryAfterMs,
  allow: [],
  deadlineMs: MAINTENANCE_DEFAULTS.hold.deadlineMs,
  most: MAINTENANCE_DEFAULTS.hold.most,
};

/**
 * What a request means by teal.yaml as it is now: in an outage nobody deploys first. Nothing of it may stand in the way:
 * what cannot be read is told, and done without.
 */
export async function makeOrder(
  parts: EngineParts,
  release: Release,
  { mode, longestMs, endsIn }: MaintenanceRequest,
): Promise<MadeOrder> {
  if (mode === "off") return { order: OFF, warnings: [] };
  const warnings: string[] = [];
  const spec = await settings(parts, release, warnings);
  const { status, retryAfterMs, allow, hold } = spec;
  const order: MaintenanceOrder = {
    mode,
    until: mode === "hold" ? parts.clock.now() + (longestMs ?? hold.longestMs) : null,
    endsIn: endsIn ?? hold.endsIn,
    page: await page(parts, spec, warnings),
    status,
    retryAfterMs,
    allow,
    deadlineMs: hold.deadlineMs,
    most: hold.most,
  };
  return { order, warnings };
}

async function settings(
  { configuration }: EngineParts,
  { service, spec }: Release,
  warnings: string[],
): Promise<MaintenanceSpec> {
  try {
    const now = (await configuration.load({})).find(({ name }) => name === service) ?? spec;
    return now.traffic.maintenance ?? MAINTENANCE_DEFAULTS;
  } catch (thrown) {
    const why = toTealError(thrown).message;
    warnings.push(`teal.yaml cannot be read, so what the active release was deployed with holds: ${why}`);
    return spec.traffic.maintenance ?? MAINTENANCE_DEFAULTS;
  }
}

async function page(
  { configuration }: EngineParts,
  { page: path }: MaintenanceSpec,
  warnings: string[],
): Promise<MaintenancePage | null> {
  if (path === null) return null;
  try {
    return await configuration.page(path);
  } catch (thrown) {
    warnings.push(`the plain page of Teal's is served instead: ${toTealError(thrown).message}`);
    return null;
  }
}
