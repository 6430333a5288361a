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

const HEAD = `{"version":1,"services":[`;
const TAIL = "]}";

/** The services of a snapshot, kept as text so that a change costs no more than what has changed. */
export class Fragments {
  readonly #fragments = new Map<string, string>();
  #bytes = 0;

  set(service: SavedService): void {
    const fragment = fragmentOf(service);
    this.#bytes += Buffer.byteLength(fragment) - this.#bytesOf(service.service);
    this.#fragments.set(service.service, fragment);
  }

  get text(): string {
    return `${HEAD}${[...this.#fragments.values()].join(",")}${TAIL}`;
  }

  /** Of the text with this in it. */
  bytesWith(service: SavedService): number {
    const { size } = this.#fragments;
    const count = this.#fragments.has(service.service) ? size : size + 1;
    const others = this.#bytes - this.#bytesOf(service.service);
    return HEAD.length + others + Buffer.byteLength(fragmentOf(service)) + (count - 1) + TAIL.length;
  }

  #bytesOf(service: string): number {
    return Buffer.byteLength(this.#fragments.get(service) ?? "");
  }
}

function fragmentOf({ maintenance, ...service }: SavedService): string {
  return JSON.stringify(maintenance === null ? service : { ...service, maintenance });
}
