import { TealError } from "../model/error.ts";
import type { Asker, Passed } from "./control.ts";
import type { EngineParts } from "./parts.ts";

/**
 * Records who lets a deployment pass its gate.
 * @throws `deployment-unknown`, `nothing-to-approve`, `deployment-ended`
 */
export async function approve(parts: EngineParts, id: string, { by, reason }: Asker): Promise<Passed> {
  const { store, journal, clock } = parts;
  const deployment = await store.deployment(id);
  if (deployment === null) throw new TealError("deployment-unknown", `there is no deployment ${id}`);
  const steps = await store.steps(id);
  if (!steps.some(({ uses }) => uses.startsWith("approval@")))
    throw new TealError("nothing-to-approve", `the plan of ${id} has no approval in it`);
  const approval = { by, reason, at: clock.now() };
  const told = journal.event(
    "approval",
    { by, reason },
    { service: deployment.service, deployment: id, step: "approval" },
  );
  const outcome = await store.approve(id, approval, [told]);
  if (outcome.kind === "repeated") return { deployment, approval: outcome.approval, repeated: true };
  journal.told(outcome.events);
  return { deployment, approval, repeated: false };
}
