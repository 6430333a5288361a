import { expect, it } from "vitest";
import { benchOptions, percentile } from "./options.ts";

it("takes the first driver unless told", () => {
  expect(benchOptions(["embedded", "caddy"], ["--quick"])).toEqual({ quick: true, driver: "embedded" });
  expect(benchOptions(["embedded", "caddy"], ["--driver", "caddy"])).toEqual({ quick: false, driver: "caddy" });
});

it.each([
  [["--driver", "apache"], "there is no driver apache; there is embedded, caddy"],
  [["--slow"], "Unknown option '--slow'"],
])("refuses %j", (argv, message) => {
  expect(() => benchOptions(["embedded", "caddy"], argv)).toThrow(message);
});

it("takes percentiles by nearest rank", () => {
  const values = [4, 1, 3, 2];
  expect([0, 25, 50, 75, 99, 100].map((percent) => percentile(values, percent))).toEqual([1, 1, 2, 3, 4, 4]);
});
