import { expect, test } from "vitest";
import { NO_TRAFFIC } from "./counters.ts";
import { Recent } from "./recent.ts";
import { CounterWindow } from "./window.ts";

const HOUR = 3_600_000;

/** Requests in the last 500 ms, 2 s and 10 s, at ten a second, where the clock is set by `jumpMs` after 30 s. */
function spansAfter(jumpMs: number): number[] {
  let window = CounterWindow.empty;
  let recent = Recent.none;
  for (let tenths = 0; tenths <= 600; tenths += 1) {
    const at = HOUR * 24 + tenths * 100 + (tenths > 300 ? jumpMs : 0);
    window = window.add({
      service: "web",
      epoch: "a",
      at,
      environments: { green: { ...NO_TRAFFIC, requests: tenths } },
    });
    recent = recent.add(at, window);
  }
  return recent.spans("green").map(({ requests }) => requests);
}

test.each([0, 2 * HOUR, -2 * HOUR, -400])(
  "30 s after the clock was set by %i ms the spans are what they say",
  (jumpMs) => {
    const [half, two, ten] = spansAfter(jumpMs);
    expect([half, two, ten]).toEqual([5, 20, 100]);
  },
);
