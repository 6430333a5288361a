import fc from "fast-check";
import { expect, test } from "vitest";
import { Campaign } from "../campaign.ts";
import { breaches, losses } from "../invariants/index.ts";
import { seedOfThisRun } from "../seeded.ts";
import { COMMANDS, maintain, settle } from "./commands.ts";
import type { Model, Real } from "./model.ts";

const seed = seedOfThisRun();
/** How long new commands are begun. */
const SECONDS = Number(process.env["TEAL_MODEL_SECONDS"] ?? 30);

test(
  `whatever is asked and whatever fails, in any order: the service is where the model says (TEAL_SEED=${String(seed)})`,
  { timeout: SECONDS * 1_000 + 240_000 },
  async () => {
    await using campaign = await Campaign.begin({ seed, underLoad: false });
    const model: Model = {
      active: "blue",
      versions: { blue: "v101", green: null },
      running: { blue: true, green: false },
      pending: null,
      maintenance: "off",
      until: performance.now() + SECONDS * 1_000,
    };
    const real: Real = { campaign, done: [] };
    // One way after the other on the same service, until the time is over: what was does not come back, so that a shorter
    // way to a failure cannot be looked for.
    const commands = fc.commands(COMMANDS, { maxCommands: 40, size: "max" });
    const way = fc.asyncProperty(commands, (chosen) => fc.asyncModelRun(() => ({ model, real }), chosen));
    await fc.assert(way, { seed, numRuns: 1_000, endOnFailure: true });
    await maintain("off").run({ ...model, until: Number.POSITIVE_INFINITY }, real);
    model.maintenance = "off";
    await settle(model, real);
    // What was set by hand is no deployment's: the last one says what is to serve.
    await campaign.configure({});
    await campaign.deployed();
    expect(real.done.length).toBeGreaterThan(10);
    const evidence = await campaign.evidence();
    expect([...breaches(evidence), ...losses(evidence)]).toEqual([]);
  },
);
