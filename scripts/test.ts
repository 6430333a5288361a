import { summary, total, FAILED, type Outcome } from "./lib/outcome.ts";
import { interrupted } from "./lib/run.ts";
import { STAGES, type Stage } from "./lib/stages.ts";

/** The whole run; a stage gets what is left of it. */
const WHOLE_MS = 24 * 60_000;

/** `npm test` runs all stages, `npm test -- NAME…` some. */
function chosen(names: readonly string[]): readonly Stage[] {
  const unknown = names.filter((name) => STAGES.every((stage) => stage.name !== name));
  if (unknown.length > 0) {
    console.error(`no such stage: ${unknown.join(", ")}; there are ${STAGES.map(({ name }) => name).join(", ")}`);
    process.exit(2);
  }
  return names.length === 0 ? STAGES : STAGES.filter((stage) => names.includes(stage.name));
}

async function outcomeOf(stage: Stage, remainingMs: number): Promise<Outcome> {
  try {
    return await stage.run(remainingMs);
  } catch (error) {
    console.error(error);
    return FAILED;
  }
}

const started = performance.now();
const outcomes: Outcome[] = [];
const failed: string[] = [];
for (const stage of chosen(process.argv.slice(2))) {
  console.log(`\n── ${stage.name}`);
  const begun = performance.now();
  const outcome = await outcomeOf(stage, Math.max(1_000, WHOLE_MS - (begun - started)));
  if (interrupted.aborted) process.exit(130);
  outcomes.push(outcome);
  if (outcome.failed > 0) failed.push(stage.name);
  const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
  console.log(`── ${stage.name}: ${outcome.failed === 0 ? "passed" : "FAILED"} in ${seconds} s`);
}

const outcome = total(outcomes, process.env["CI"] === "true");
console.log(`\n${failed.length === 0 ? "all stages passed" : `failed: ${failed.join(", ")}`}`);
process.exitCode = outcome.failed === 0 ? 0 : 1;
for (const line of summary(outcome)) console.log(line);
