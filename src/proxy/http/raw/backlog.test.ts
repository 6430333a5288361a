import fc from "fast-check";
import { expect, test } from "vitest";
import { Backlog } from "./backlog.ts";

test("gives back what it got, in order, and holds no memory when it is empty", () => {
  const step = fc.oneof(
    fc.record({ add: fc.uint8Array({ maxLength: 5_000 }) }),
    fc.record({ drop: fc.double({ min: 0, max: 1, noNaN: true }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const backlog = new Backlog();
      let model = Buffer.alloc(0);
      for (const one of steps) {
        if ("add" in one) {
          const bytes = Buffer.from(one.add);
          backlog.append(bytes, 0, bytes.length);
          model = Buffer.concat([model, bytes]);
        } else {
          const bytes = Math.floor(one.drop * model.length);
          backlog.drop(bytes);
          model = model.subarray(bytes);
        }
        expect(backlog.buffer.subarray(backlog.start, backlog.end).equals(model)).toBe(true);
        if (model.length === 0) expect(backlog.buffer).toHaveLength(0);
      }
    }),
  );
});
