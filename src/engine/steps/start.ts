import { takenBackTimes } from "../../model/drain.ts";
import { TealError } from "../../model/error.ts";
import type { Release } from "../../model/release.ts";
import { driverOf } from "../parts.ts";
import { scaled } from "../scaled.ts";
import type { StepHandler, StepRun } from "../step.ts";
import { drained } from "./drained.ts";

export const start: StepHandler = {
  async run(run) {
    const { parts, deployment, input, context } = run;
    const before = (await parts.store.environments(deployment.service)).find(({ name }) => name === input.environment);
    // The number of instances that a person has asked for holds until the next deploy.
    const release = deployment.goal === "deploy" ? run.release : scaled(run.release, before);
    if (!(await parts.releases.exists(release.service, release.id)) && release.spec.release.kind !== "none") {
      throw new TealError("release-missing", `the folder of ${release.id} is gone: ${release.directory}`);
    }
    const variables = await parts.configuration.resolve(release.spec.environment);
    // Intent before effect: after a crash, recovery knows what may be running.
    await run.record({}, { environments: [{ ...record(run, release.id), ...countOf(release, run) }] });
    const driver = driverOf(parts.environments, release.spec.environment.driver);
    await driver.start({ service: deployment.service, environment: input.environment, release, variables }, context);
    return { result: { count: release.spec.environment.count } };
  },

  /** Stops what this deployment started, once requests that are still on it have ended or the drain is over. */
  async undo(run) {
    const { parts, deployment, input, context } = run;
    const { release } = run;
    if (await hasTraffic(run)) return {};
    await drained(run, input.environment, takenBackTimes(release.spec.traffic));
    await parts.journal.transition({
      service: deployment.service,
      fence: context.fence,
      environments: [{ ...record(run, release.id), desired: "stopped" }],
      events: [],
    });
    await run.desk.refresh(deployment.service, release, context);
    await driverOf(parts.environments, release.spec.environment.driver).stop(
      deployment.service,
      input.environment,
      context,
    );
    const keep = deployment.goal === "deploy" ? null : release.id;
    return { environments: [{ ...record(run, keep), desired: "stopped" }] };
  },
};

/** Also when it is taken back: somebody else has sent traffic there, which is not to be left without an instance. */
async function hasTraffic({ desk, deployment, release, input, context }: StepRun): Promise<boolean> {
  const { split } = await desk.driver(release).observe(deployment.service, context.signal);
  return (split?.weights[input.environment] ?? 0) > 0;
}

function countOf(release: Release, run: StepRun): { count?: number } {
  return release === run.release ? {} : { count: release.spec.environment.count };
}

function record(run: StepRun, release: string | null) {
  return { service: run.deployment.service, name: run.input.environment, release, desired: "running" } as const;
}
