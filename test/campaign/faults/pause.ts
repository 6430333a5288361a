import { expect } from "vitest";
import type { Campaign } from "../campaign.ts";
import type { Ending } from "../evidence.ts";
import { atBorders, atRandom, type Told } from "./borders.ts";
import type { Fault } from "./fault.ts";

/** Each target stands still for a while from the border of each step on. */
export function pauseAtBorders(campaign: Campaign, options: Told & { readonly most: number }): Promise<void> {
  return atBorders(campaign, {
    ...options,
    kind: "stop",
    act: (target, step) => campaign.stop(target, step),
    after: () => forAWhile(campaign),
  });
}

/** The same from an instant on that chance chooses. */
export function pauseAtRandom(campaign: Campaign, options: Told & { readonly times: number }): Promise<void> {
  return atRandom(campaign, {
    ...options,
    kind: "stop",
    act: (target) => campaign.stop(target),
    after: () => forAWhile(campaign),
  });
}

async function forAWhile(campaign: Campaign): Promise<void> {
  await campaign.pause(300, 1_500);
  campaign.goOn();
}

/** As in a swapping or overloaded machine. */
export const pause: Fault = {
  name: "pause",
  underLoad: true,
  async inject(campaign) {
    await pauseAtBorders(campaign, { most: 5 });
    await pauseAtRandom(campaign, { times: 3 });
  },
};

/** DESIGN section 2: so long a silence of the controller in an unfinished shift, and the proxy takes it back by itself. */
const SILENCE_MS = 15_000;
const CONTROLLER_LOSS: Ending = { state: "rolled-back", cause: "controller-loss" };

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
    await campaign.stop("server");
    await campaign.stop("keeper");
    await campaign.site.until(
      "the proxy takes it back",
      () => Promise.resolve(campaign.weightsSeen()["blue"] === 100),
      SILENCE_MS * 2,
    );
    campaign.goOn();
    campaign.may(id, CONTROLLER_LOSS);
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
    await campaign.stop("server");
    // On a machine that is too busy to start the next server in time the proxy is first.
    campaign.may(id, CONTROLLER_LOSS);
    await campaign.site.ended(id);
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
    await campaign.stop("proxy");
    await campaign.stop("keeper");
    await campaign.pause(SILENCE_MS + 1_500, SILENCE_MS + 2_500);
    campaign.goOn();
    expect(await campaign.site.ended(id)).toMatchObject({ state: "completed" });
  },
};
