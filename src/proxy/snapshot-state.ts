import { z } from "zod";
import { latch, type ServiceMaintenance, serviceMaintenance, type ServiceTable, serviceTable } from "../wire/proxy.ts";
import { split, weights } from "../wire/shapes.ts";
import type { SplitRegister } from "./split-register.ts";

const register = z.object({
  split: split.nullable(),
  deployment: z.string().nullable(),
  armed: z.object({ deployment: z.string(), revertTo: weights }).nullable(),
  reverted: z.string().nullable(),
  latches: z.array(latch),
});

/** One service in the snapshot. `table` is as the live split has it; null: only latches are known. */
const savedService = z.object({
  service: z.string(),
  table: serviceTable.nullable(),
  register,
  // Snapshots of 0.1.0 have none.
  maintenance: serviceMaintenance.nullable().default(null),
});
export interface SavedService {
  readonly service: string;
  readonly table: ServiceTable | null;
  readonly register: SplitRegister;
  readonly maintenance: ServiceMaintenance | null;
}

/** What a proxy's snapshot holds; versioned on its own, as the next version of Teal reads it. */
const snapshotState = z.object({ version: z.literal(1), services: z.array(savedService) });

/** @throws SyntaxError or ZodError: written by something else */
export function parseSnapshot(payload: string): readonly SavedService[] {
  return snapshotState.parse(JSON.parse(payload)).services;
}

/** One service as it stands among the others, as JSON. */
export function printService({ maintenance, ...service }: SavedService): Buffer {
  const text = JSON.stringify(maintenance === null ? service : { ...service, maintenance });
  // Memory of its own: a part of a shared slab, kept for long, keeps the whole slab.
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
}
