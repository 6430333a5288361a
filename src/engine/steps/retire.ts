import { TealError } from "../../model/error.ts";
import { driverOf } from "../parts.ts";
import type { StepHandler } from "../step.ts";
import { drained } from "./drained.ts";

/** Ends an environment that was observed to have no traffic (invariant 10); its release stays on disk until it is pruned. */
export const retire: StepHandler = {
  async run(run) {
    const { parts, desk, deployment, input, context } = run;
    const { environment } = input;
    const { service } = deployment;
    const record = (await parts.store.environments(service)).find(({ name }) => name === environment);
    if (record?.release == null) return { result: { retired: null } };
    const release = await parts.store.release(service, record.release);
    if (release === null) throw new TealError("release-missing", `${record.release} has no record`);
    const seen = await desk.driver(release).observe(service, context.signal);
    const weight = seen.split?.weights[environment] ?? 0;
    if (weight > 0) throw new TealError("still-has-traffic", `${environment} has ${String(weight)} % of the traffic`);
    const left = await drained(run, environment, release.spec.traffic);
    if (left > 0)
      throw new TealError("still-has-traffic", `${environment} still has ${String(left)} requests in flight`);
    const planned = (await parts.store.retirements(service))[0];
    const isEarly = planned?.environment === environment && planned.at > parts.clock.now();
    await run.record({}, { environments: [{ ...record, desired: "stopped" }] });
    await desk.refresh(service, release, context);
    await driverOf(parts.environments, release.spec.environment.driver).stop(service, environment, context);
    return {
      result: { retired: release.id },
      effects: {
        environments: [{ ...record, release: null, desired: "stopped" }],
        retirement: { cancel: environment },
        events: [
          ...(isEarly ? [run.event("retirement-cancelled", { environment })] : []),
          run.event("environment", { environment, state: "absent", release: null }),
        ],
      },
    };
  },
  undo: null,
};
