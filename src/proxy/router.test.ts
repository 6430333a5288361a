import { expect, test } from "vitest";
import { Router } from "./router.ts";

const router = new Router([
  { service: "web", hosts: [], paths: ["/"] },
  { service: "api", hosts: [], paths: ["/api/"] },
  { service: "shop", hosts: ["shop.example", "[::1]"], paths: ["/cart"] },
]);

test.each([
  ["any.example", "/", "web"],
  ["any.example", "/api", "api"],
  ["any.example", "/api?x=1", "api"],
  ["any.example", "/api/v1", "api"],
  ["any.example", "/apix", "web"],
  ["shop.example:8080", "/cart/1", "shop"],
  ["SHOP.example.", "/cart", "shop"],
  ["[::1]:80", "/cart", "shop"],
  ["shop.example", "/api/1", "api"],
  ["", "/", "web"],
  ["any.example", "*", "web"],
])("%s %s is for %s", (host, target, service) => {
  expect(router.match(host, target)).toBe(service);
});

test("no service matches", () => {
  const only = new Router([{ service: "shop", hosts: ["shop.example"], paths: ["/"] }]);
  expect(only.match("other.example", "/")).toBeNull();
  expect(only.isEmpty).toBe(false);
  expect(new Router([]).isEmpty).toBe(true);
});
