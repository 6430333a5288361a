import type { StepUses } from "../../model/plan.ts";
import type { StepHandler } from "../step.ts";
import { approval } from "./approval.ts";
import { bake } from "./bake.ts";
import { healthy } from "./healthy.ts";
import { preflight } from "./preflight.ts";
import { provision } from "./provision.ts";
import { retire } from "./retire.ts";
import { shift } from "./shift.ts";
import { start } from "./start.ts";
import { validate } from "./validate.ts";

/** THE list of what a step's `uses` can name. A name stays as long as a stored plan can hold it. */
const HANDLERS: Readonly<Record<StepUses, StepHandler>> = {
  "preflight@1": preflight,
  "provision@1": provision,
  "start@1": start,
  "healthy@1": healthy,
  "validate@1": validate,
  "shift@1": shift,
  "bake@1": bake,
  "retire@1": retire,
  "approval@1": approval,
};

export function handlerOf(uses: string): StepHandler | null {
  return Object.hasOwn(HANDLERS, uses) ? HANDLERS[uses as StepUses] : null;
}
