import { expect, test } from "vitest";
import { LossyLines } from "./lossy-lines.ts";

/** A descriptor with room for so many bytes. */
class Room {
  text = "";
  left = 0;

  readonly lines = new LossyLines(
    (bytes) => {
      const taken = bytes.subarray(0, Math.min(this.left, 4));
      if (taken.length === 0) throw new Error("ENOSPC: no space left on device, write");
      this.left -= taken.length;
      this.text += taken.toString();
      return taken.length;
    },
    (lost, why) => `${String(lost)} lost: ${why}\n`,
  );
}

test("what a full disk does not take is lost and counted, and a line that was cut is ended", () => {
  const room = new Room();
  room.left = 12;
  room.lines.write("first\n");
  room.lines.write("second, which is too long\n");
  room.lines.write("third\n");
  expect(room.text).toBe("first\nsecond");
  room.left = 1_000;
  room.lines.write("fourth\n");
  room.lines.write("fifth\n");
  expect(room.text).toBe("first\nsecond\n2 lost: ENOSPC: no space left on device, write\nfourth\nfifth\n");
});
