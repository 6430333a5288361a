import type { Milliseconds } from "../model/time.ts";

const MOST = 10;
const WINDOW_MS: Milliseconds = 60_000;
/** So many addresses are remembered; an attacker who has more gets a fresh window, and still no token. */
const MOST_ADDRESSES = 10_000;

/** Counts calls without a valid token by address. */
export class Attempts {
  readonly #windows = new Map<string, { readonly since: Milliseconds; count: number }>();

  /** Notes one at `now`, in monotonic milliseconds; the number of them in this minute, and whether that is too many. */
  note(address: string, now: Milliseconds): { readonly count: number; readonly tooMany: boolean } {
    const known = this.#windows.get(address);
    const window = known !== undefined && now - known.since < WINDOW_MS ? known : { since: now, count: 0 };
    if (this.#windows.size >= MOST_ADDRESSES) this.#windows.clear();
    this.#windows.set(address, window);
    window.count += 1;
    return { count: window.count, tooMany: window.count > MOST };
  }
}

/** The call whose refusal is worth a line in the log: the first one that is too many. */
export const FIRST_TOO_MANY = MOST + 1;
