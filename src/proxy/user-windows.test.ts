import { describe, expect, test } from "vitest";
import { pointOf } from "./affinity.ts";
import { SERVICE_CELL, sharedInts } from "./cells.ts";
import { userRow, UserWindows } from "./user-windows.ts";
import { noteUser } from "./worker/note-user.ts";

const WORKERS = 2;
const SPLIT = { blue: 90, green: 10 };

function world() {
  const cell = sharedInts(SERVICE_CELL.held + WORKERS);
  const windows = new UserWindows(cell);
  windows.lengthMs = 1_000;
  const comes = (environment: string, from: number, to: number): void => {
    const cells = windows.of(environment, WORKERS);
    if (cells === null) throw new Error("nobody is counted");
    for (let n = from; n < to; n += 1) {
      const row = userRow(cells, n % WORKERS);
      noteUser(row, Atomics.load(cell, SERVICE_CELL.users), pointOf(`user-${String(n)}`, 5));
    }
  };
  return { windows, comes };
}

describe("windows of users", () => {
  test("count each user once, whichever worker has them, and begin anew", () => {
    const { windows, comes } = world();
    expect(windows.next(0, SPLIT)).toBeNull();
    comes("blue", 0, 900);
    comes("blue", 0, 900);
    comes("green", 900, 1_000);
    expect(windows.next(999, SPLIT)).toBeNull();
    const first = windows.next(1_000, SPLIT);
    expect(first).toMatchObject({ ms: 1_000, weights: SPLIT });
    expect(Math.abs((first?.distinct["blue"] ?? 0) - 900)).toBeLessThan(25);
    expect(Math.abs((first?.distinct["green"] ?? 0) - 100)).toBeLessThan(5);
    comes("green", 900, 950);
    expect(windows.next(1_500, SPLIT)).toBe(first);
    const second = windows.next(2_100, SPLIT);
    expect(second?.window).toBeGreaterThan(first?.window ?? 0);
    expect(second).toMatchObject({ ms: 1_100, distinct: { blue: 0 } });
    expect(Math.abs((second?.distinct["green"] ?? 0) - 50)).toBeLessThan(4);
    // What a row held two windows ago is gone.
    expect(windows.next(3_200, SPLIT)?.distinct).toEqual({ blue: 0, green: 0 });
  });

  test("one in which the split changed is given up", () => {
    const { windows, comes } = world();
    windows.next(0, SPLIT);
    comes("blue", 0, 500);
    windows.restart();
    comes("green", 0, 20);
    expect(windows.next(900, SPLIT)).toBeNull();
    expect(windows.next(1_200, SPLIT)).toBeNull();
    expect(windows.next(1_900, { blue: 50, green: 50 })).toMatchObject({ distinct: { blue: 0 } });
  });

  test("nobody is counted, and no memory taken, where none are wished", () => {
    const { windows } = world();
    windows.lengthMs = null;
    expect(windows.of("blue", WORKERS)).toBeNull();
    expect(windows.next(5_000, SPLIT)).toBeNull();
  });
});
