import { Agent, get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

export interface Arrival {
  readonly version: string;
  /** When the app got the request: milliseconds since the epoch, with fractions. */
  readonly at: number;
}

/** Asks over a few kept connections, each as soon as it was answered and a pause is over, and keeps when the app got what. */
export class ArrivalProbe {
  readonly #url: string;
  readonly #agent: Agent;
  readonly #stop = new AbortController();
  readonly #loops: Promise<void>[] = [];
  #arrivals: Arrival[] = [];
  asked = 0;
  failures = 0;

  constructor(url: string, connections: number, pauseMs: number) {
    this.#url = url;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
    for (let i = 0; i < connections; i += 1) this.#loops.push(this.#loop(pauseMs));
  }

  /** Takes out what has been seen. */
  take(): readonly Arrival[] {
    const taken = this.#arrivals;
    this.#arrivals = [];
    return taken;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#loops);
    this.#agent.destroy();
  }

  async #loop(pauseMs: number): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.asked += 1;
      const arrival = await this.#ask();
      if (arrival === null) this.failures += 1;
      else this.#arrivals.push(arrival);
      await sleep(pauseMs);
    }
  }

  #ask(): Promise<Arrival | null> {
    return new Promise((resolve) => {
      const request = get(this.#url, { agent: this.#agent, timeout: 10_000 }, (response) => {
        const version = response.headers["x-version"];
        const at = Number(response.headers["x-arrived"]);
        response.resume();
        response.on("error", () => {
          resolve(null);
        });
        response.on("end", () => {
          resolve(typeof version === "string" && Number.isFinite(at) ? { version, at } : null);
        });
      });
      request.on("timeout", () => request.destroy());
      request.on("error", () => {
        resolve(null);
      });
    });
  }
}
