import { z } from "zod";
import { MAINTENANCE_MODES, type MaintenanceOrder, type MaintenanceRecord } from "../../model/maintenance.ts";

const order: z.ZodType<MaintenanceOrder> = z.looseObject({
  mode: z.enum(MAINTENANCE_MODES),
  until: z.number().nullable(),
  endsIn: z.enum(["off", "on"]),
  page: z.looseObject({ type: z.string(), base64: z.string() }).nullable(),
  status: z.int(),
  retryAfterMs: z.number(),
  allow: z.array(z.string()),
  deadlineMs: z.number(),
  most: z.int(),
});

/** What was ordered last of a service's maintenance, as it is kept. */
export const maintenanceRecord: z.ZodType<MaintenanceRecord> = z.looseObject({
  revision: z.int(),
  order,
  since: z.number(),
  by: z.string(),
  reason: z.string().nullable(),
});
