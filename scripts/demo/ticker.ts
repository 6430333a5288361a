import type { Outcome } from "../../bench/lib/outcome.ts";

/** Says each second who answers the load, so that the shift of traffic is seen as a client sees it. */
export class Ticker {
  readonly #print: (line: string) => void;
  #seen = new Map<string, number>();
  #lost = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  count(outcome: Outcome): void {
    if (outcome.kind === "lost") this.#lost += 1;
    const name =
      outcome.kind === "ok" ? outcome.version : outcome.kind === "failed" ? `${outcome.version} failing` : outcome.kind;
    this.#seen.set(name, (this.#seen.get(name) ?? 0) + 1);
  }

  start(): void {
    this.#timer = setInterval(() => {
      const parts = [...this.#seen]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, count]) => `${name} ${String(count)}`);
      this.#print(`answers in the last second: ${parts.join(", ") || "none"}; lost so far: ${String(this.#lost)}`);
      this.#seen = new Map();
    }, 1_000);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }
}
