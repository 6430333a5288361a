import { expect, it } from "vitest";
import { shownAddress } from "./shown-address.ts";

it.each([
  ["http://127.0.0.1:9090", "http://127.0.0.1:9090"],
  ["https://user:hush@queue.example/state/$environment", "https://queue.example/state/$environment"],
  ["https://queue.example/state?token=hush&x=1#hush", "https://queue.example/state?…"],
  ["https://queue.example?hush", "https://queue.example?…"],
  ["https://queue.example/#hush", "https://queue.example"],
  ["/stats?key=hush", "/stats?…"],
  ["/stats#hush", "/stats"],
  ["//user:hush@host/x", "an address"],
  ["file:///etc/x?hush", "an address"],
  ["mailto:a@b?hush", "an address"],
  ["http://user:hush@[bad/x?token=hush", "an address"],
])("of %s only what is no secret is shown", (written, shown) => {
  expect(shownAddress(written)).toBe(shown);
});
