import { expect, test } from "vitest";
import { covers, grants, isUsable, type Permission, ROLES } from "./token.ts";

test("each role grants its own, and an approver and a deployer cannot do each other's part", () => {
  const all: readonly Permission[] = ["read", "deploy", "approve", "abort", "administer"];
  const granted = ROLES.map((role) => [role, all.filter((permission) => grants(role, permission))]);
  expect(Object.fromEntries(granted)).toEqual({
    viewer: ["read"],
    deployer: ["read", "deploy", "abort"],
    approver: ["read", "approve", "abort"],
    admin: all,
  });
});

test("a token of some services covers neither another one nor what belongs to none", () => {
  expect(covers({ services: ["web"] }, "web")).toBe(true);
  expect(covers({ services: ["web"] }, "api")).toBe(false);
  expect(covers({ services: ["web"] }, null)).toBe(false);
  expect(covers({ services: null }, "api")).toBe(true);
  expect(covers({ services: null }, null)).toBe(true);
});

test("a token opens nothing from the instant on at which it expires", () => {
  expect(isUsable({ expiresAt: 10 }, 9)).toBe(true);
  expect(isUsable({ expiresAt: 10 }, 10)).toBe(false);
  expect(isUsable({ expiresAt: null }, Number.MAX_SAFE_INTEGER)).toBe(true);
});
