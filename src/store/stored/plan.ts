import { z } from "zod";
import { GOALS } from "../../model/deployment.ts";
import type { Plan, StepInput, StepUses } from "../../model/plan.ts";
import { weights } from "./shapes.ts";

const stepInput: z.ZodType<StepInput> = z.looseObject({
  environment: z.string(),
  weights: z.exactOptional(weights),
  watchMs: z.exactOptional(z.number()),
  waitMs: z.exactOptional(z.number()),
});

/** Any versioned name: a row of another version of Teal is read, and refused only where it would be run. */
const uses = z.custom<StepUses>(
  (value) => typeof value === "string" && /^[a-z-]+@\d+$/.test(value),
  "not a step's versioned name",
);

export const plan: z.ZodType<Plan> = z.looseObject({
  goal: z.enum(GOALS),
  service: z.string(),
  from: z.string().nullable(),
  to: z.string(),
  steps: z.array(
    z.looseObject({
      id: z.string(),
      uses,
      title: z.string(),
      touches: z.array(z.string()),
      input: stepInput,
      expectedMs: z.number(),
      worstMs: z.number(),
    }),
  ),
  worstRollbackMs: z.number(),
  warnings: z.array(z.string()),
  reads: z.exactOptional(z.array(z.string())),
  changes: z.array(z.looseObject({ path: z.string(), before: z.string().nullable(), after: z.string().nullable() })),
});
