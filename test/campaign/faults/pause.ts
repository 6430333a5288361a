import { expect } from "vitest";
import type { Campaign } from "../campaign.ts";
import { draw } from "../seeded.ts";
import { type Target, TARGETS } from "../target.ts";
import type { Fault } from "./fault.ts";
import { STEPS } from "./steps.ts";

/** Each target stands still for a while from the border of each step on, a deployment for each; `most` of these pairs, drawn. */
export async function pauseAtBorders(
  campaign: Campaign,
  { most, told }: { readonly most: number; readonly told?: (what: string) => void },
): Promise<void> {
  const pairs = STEPS.flatMap((step) => TARGETS.map((target): [string, Target] => [step, target]));
  for (const [step, target] of draw(pairs, most, campaign.random)) {
    const id = await campaign.deploy();
    const came = await campaign.atStep(id, step);
    const isStill = came && (await campaign.signal(target, "SIGSTOP"));
    await campaign.pause(300, 1_500);
    campaign.goOn();
    const { state } = await campaign.site.ended(id);
    told?.(`${target} ${isStill ? "stood still" : "not there"} at ${step}: ${state}`);
    await campaign.whole();
  }
}

/** As in a swapping or overloaded machine. */
export const pause: Fault = {
  name: "pause",
  underLoad: true,
  async inject(campaign) {
    await pauseAtBorders(campaign, { most: 6 });
  },
};

/** DESIGN section 2: so long a silence of the controller in an unfinished shift, and the proxy takes it back by itself. */
const SILENCE_MS = 15_000;

/**
 * The server stands still for longer than the proxy waits for it, and then goes on as if nothing had been. So does the
 * keeper, which would end the server before; having slept itself, it must not end it afterwards either.
 */
export const silence: Fault = {
  name: "silence",
  underLoad: true,
  service: { deploy: { shift: [{ weight: 50, for: "60s" }] } },
  async inject(campaign) {
    const id = await campaign.deploy();
    await campaign.atStep(id, "shift-50");
    await campaign.site.until("50 %", () => Promise.resolve(campaign.weightsSeen()["green"] === 50));
    const { server } = await campaign.site.pids();
    await campaign.signal("server", "SIGSTOP");
    await campaign.signal("keeper", "SIGSTOP");
    await campaign.site.until(
      "the proxy takes it back",
      () => Promise.resolve(campaign.weightsSeen()["blue"] === 100),
      SILENCE_MS * 2,
    );
    campaign.goOn();
    expect(await campaign.site.ended(id)).toMatchObject({ state: "rolled-back", cause: { code: "controller-loss" } });
    expect((await campaign.site.pids()).server).toBe(server);
  },
};

/** The server hangs for good in an unfinished shift: the keeper replaces it before the proxy has waited for too long. */
export const hang: Fault = {
  name: "hang",
  underLoad: true,
  async inject(campaign) {
    const id = await campaign.deploy();
    await campaign.atStep(id, "shift-10");
    const { server } = await campaign.site.pids();
    await campaign.signal("server", "SIGSTOP");
    const ended = await campaign.site.ended(id);
    // On a machine that is too busy to start the next server in time the proxy is first.
    if (ended.state !== "completed")
      expect(ended).toMatchObject({ state: "rolled-back", cause: { code: "controller-loss" } });
    expect((await campaign.site.pids()).server).not.toBe(server);
    expect(await campaign.site.log("keeper")).toContain(`the server (pid ${String(server)}) has not answered for 10 s`);
    campaign.goOn();
  },
};

/**
 * The proxy itself stands still for as long: what it did not hear, its server has said, and the deployment goes on. So does
 * the keeper, which would replace the proxy before. Instances close connections meanwhile, and no request may be lost by it.
 */
export const proxySilence: Fault = {
  name: "proxy-silence",
  underLoad: true,
  service: { deploy: { shift: [{ weight: 50, for: "20s" }] } },
  async inject(campaign) {
    const id = await campaign.deploy();
    await campaign.atStep(id, "shift-50");
    await campaign.site.until("50 %", () => Promise.resolve(campaign.weightsSeen()["green"] === 50));
    await campaign.signal("proxy", "SIGSTOP");
    await campaign.signal("keeper", "SIGSTOP");
    await campaign.pause(SILENCE_MS + 1_500, SILENCE_MS + 2_500);
    campaign.goOn();
    expect(await campaign.site.ended(id)).toMatchObject({ state: "completed" });
  },
};
