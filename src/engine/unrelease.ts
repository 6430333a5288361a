import type { ActContext } from "../ports/context.ts";
import type { Running } from "./running.ts";

/**
 * A first release that is taken back has nothing to go back to: the service answers `no-release` again, and the next
 * deployment is once more its first. Does nothing when there was a release before, or no traffic was given.
 */
export async function unrelease(run: Running, context: ActContext): Promise<void> {
  const { deployment, parts, desk, release } = run;
  const { service, from, to, goal, touchedTraffic } = deployment;
  // What it never touched is not its own: it may have been planned while another one became the first.
  if (goal !== "deploy" || from !== null || !touchedTraffic) return;
  const driver = desk.driver(release);
  await desk.alone(service, async () => {
    const live = (await driver.observe(service, context.signal)).split;
    if ((live?.weights[to] ?? 0) > 0) await driver.remove(service, context);
    const row = await parts.store.service(service);
    if (row === null || Object.keys(row.weights).length === 0) return;
    const generation = Math.max(live?.generation ?? 0, row.generation) + 1;
    await run.write({ split: { generation, weights: {} }, roles: { active: null, standby: null } }, [
      run.event("split-reverted", { weights: {}, generation, cause: "no earlier release" }),
    ]);
  });
}
