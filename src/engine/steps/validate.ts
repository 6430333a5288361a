import { TealError } from "../../model/error.ts";
import { baseUrlOf } from "../../ports/address.ts";
import type { CheckResult } from "../../ports/validation.ts";
import { driverOf } from "../parts.ts";
import type { StepHandler, StepRun } from "../step.ts";

/** Lines of a smoke command's output that are kept as events; the last ones are in its summary all the same. */
const MOST_LINES = 200;

/** The validation endpoint, the declared checks, then the smoke command, against the environment's own address. */
export const validate: StepHandler = {
  async run(run) {
    const { release } = run;
    const { parts, deployment, input, context } = run;
    const driver = driverOf(parts.environments, release.spec.environment.driver);
    const observation = await driver.observe(deployment.service, input.environment, context.signal);
    const baseUrl = baseUrlOf(observation);
    if (baseUrl === null) throw new TealError("not-healthy", `${input.environment} has no ready instance to validate`);
    const { endpoint, checks, smoke } = release.spec.deploy.validate;
    const { validator } = parts;
    let passed = 0;
    const must = async (result: CheckResult): Promise<void> => {
      if (!result.passed) throw new TealError("validation-failed", result.summary);
      passed += 1;
      await run.emit("step-progress", { message: result.summary, tookMs: result.tookMs });
    };
    if (endpoint !== null) await must(await validator.endpoint(baseUrl, endpoint, context.signal));
    for (const check of checks) await must(await validator.http(baseUrl, check, context.signal));
    if (smoke !== null) {
      const variables = { ...(await smokeVariables(run)), BASE_URL: baseUrl };
      const lines: Promise<void>[] = [];
      const onLine = (line: string): void => {
        if (lines.length < MOST_LINES) lines.push(run.emit("step-progress", { message: line, output: true }));
      };
      const result = await validator.command(
        { command: smoke, directory: release.directory, variables, onLine },
        context.signal,
      );
      await Promise.all(lines);
      await must(result);
    }
    return { result: { passed, baseUrl } };
  },
  undo: null,
};

/** What a smoke command gets beside BASE_URL: the same as an instance. */
async function smokeVariables(run: StepRun): Promise<Record<string, string>> {
  const { release } = run;
  return {
    ...(await run.parts.configuration.resolve(release.spec.environment)),
    TEAL_SERVICE: run.deployment.service,
    TEAL_ENVIRONMENT: run.input.environment,
    TEAL_VERSION: release.version,
  };
}
