import { expect, test } from "vitest";
import { compareVersions, packageVersionOf } from "./version-order.ts";

test("versions in the order of Semantic Versioning, section 11", () => {
  const ascending = [
    "0.9.9",
    "0.10.0",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.0.1",
    "2.0.0",
  ];
  for (const [index, version] of ascending.entries()) {
    for (const [other, later] of ascending.entries()) {
      expect(Math.sign(compareVersions(version, later)), `${version} ${later}`).toBe(Math.sign(index - other));
    }
  }
  expect(compareVersions("1.0.0+a", "1.0.0+b")).toBe(0);
});

test("the package's version in a runtime's name", () => {
  expect(packageVersionOf("0.1.0-0a1b2c3d")).toBe("0.1.0");
  expect(packageVersionOf("1.0.0-rc.1-0a1b2c3d")).toBe("1.0.0-rc.1");
  expect(packageVersionOf("elsewhere")).toBe("elsewhere");
});
