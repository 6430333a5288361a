import { expect, test } from "vitest";
import { Networks } from "./networks.ts";

test("addresses and networks of both families, and nothing beside them", () => {
  const proxies = new Networks(["10.1.0.0/16", "192.0.2.7", "2001:db8::/32", "::1"]);
  const inside = ["10.1.2.3", "192.0.2.7", "2001:db8:1::9", "2001:DB8::1", "::1"];
  const outside = ["10.2.0.1", "192.0.2.8", "2001:db9::1", "::2", "unknown", "", "10.1.2.3:80"];
  expect([...inside, ...outside].filter((address) => proxies.has(address))).toEqual(inside);
});

test("an empty list trusts nobody, and everything can be trusted", () => {
  expect(new Networks([]).has("127.0.0.1")).toBe(false);
  const all = new Networks(["0.0.0.0/0", "::/0"]);
  expect([all.has("203.0.113.9"), all.has("2001:db8::1"), all.has("unknown")]).toEqual([true, true, false]);
  expect(() => new Networks(["local"])).toThrow("local is neither");
});
