import { Agent, request } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Site } from "../../test/site.ts";

export const BAD = ["all", "fifth", "slow"] as const;
export type Bad = (typeof BAD)[number];

const RATE = 200;
const TICK_MS = 5;
/** The active environment goes on alone for so long before each release; what it answered in all of them is compared with. */
const STEADY_MS = { all: 2_000, fifth: 2_000, slow: 4_000 } as const satisfies Record<Bad, number>;

/** And before all of them. */
const HISTORY_MS = 8_000;

/** A whole Teal under 200 requests a second, its guardrails as they are unless told; bad releases get 10 %. */
export class DetectionSite {
  readonly #site: Site;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  readonly #stopping = new AbortController();
  readonly #load: Promise<void>;
  #serial = 0;
  /** Of the release under way: when its first bad answer came, in milliseconds since the epoch. */
  #firstBad: number | null = null;

  private constructor(site: Site) {
    this.#site = site;
    this.#load = this.#pace();
  }

  static async open(): Promise<DetectionSite> {
    const app = join(import.meta.dirname, "faulty-app.ts");
    const site = await Site.up({
      environment: { command: `"${process.execPath}" "${app}"`, stop: { signal: "SIGTERM", timeout: "5s" } },
      deploy: { shift: [{ weight: 10, for: "60s" }], guardrails: undefined, bake: "0ms" },
    });
    const { state, cause } = await site.deployed("good-1");
    if (state !== "completed") throw new Error(`good-1: ${state} ${JSON.stringify(cause)}`);
    const detection = new DetectionSite(site);
    await sleep(HISTORY_MS);
    return detection;
  }

  /** Seconds from the first bad answer that a client got to the record that the traffic was back; null: not detected. */
  async detect(bad: Bad): Promise<number | null> {
    await sleep(STEADY_MS[bad]);
    this.#firstBad = null;
    this.#serial += 1;
    const id = await this.#site.deploy(`${bad}-${String(this.#serial)}`);
    const { state } = await this.#site.until(
      `${id} ends`,
      async () => {
        const deployment = await this.#site.client.deployment(id);
        return ["completed", "rolled-back", "failed"].includes(deployment.state) ? deployment : null;
      },
      120_000,
    );
    if (state !== "rolled-back") return null;
    for await (const event of this.#site.client.events({ after: 0, follow: false })) {
      const isBack = event.type === "split-reverted" && event.deployment === id;
      if (isBack && this.#firstBad !== null) return (event.at - this.#firstBad) / 1_000;
    }
    return null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#load;
    this.#agent.destroy();
    await this.#site[Symbol.asyncDispose]();
  }

  async #pace(): Promise<void> {
    const { signal } = this.#stopping;
    const began = performance.now();
    for (let sent = 0; !signal.aborted;) {
      const due = Math.floor(((performance.now() - began) * RATE) / 1_000) + 1;
      for (; sent < due; sent++) this.#send();
      // An abort is looked at by the loop's own condition.
      await sleep(TICK_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  #send(): void {
    const sending = request(this.#site.url, { agent: this.#agent }, (response) => {
      const isBad = response.statusCode === 500 || response.headers["x-kind"] === "slow";
      if (isBad) this.#firstBad ??= performance.timeOrigin + performance.now();
      response.resume();
    });
    // A request that gets no answer is none of this benchmark's figures; switch and crash count those.
    sending.on("error", () => undefined);
    sending.end();
  }
}
