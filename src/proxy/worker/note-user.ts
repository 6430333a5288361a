import { mixed } from "../affinity.ts";
import { addHash, REGISTERS } from "../distinct.ts";
import type { UserCells } from "../user-windows.ts";

/** Where a key lies on the line that the split divides is no even spread on one side of it: another mixing is. */
const OTHER = 0x9e3779b9;

/** Notes that the user whose key has this point was there in this window; some 20 ns. */
export function noteUser({ registers, windows }: UserCells, window: number, point: number): void {
  const row = window & 1;
  if (windows[row] !== window) {
    registers.fill(0, row * REGISTERS, (row + 1) * REGISTERS);
    windows[row] = window;
  }
  addHash(registers, row * REGISTERS, mixed((point * 2 ** 32) ^ OTHER));
}
