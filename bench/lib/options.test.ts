import { expect, it } from "vitest";
import { benchOptions, percentile } from "./options.ts";

it("takes the first driver unless told", () => {
  const known = { drivers: ["embedded", "caddy"] };
  expect(benchOptions(known, ["--quick"])).toEqual({ quick: true, driver: "embedded", sizes: {} });
  expect(benchOptions(known, ["--driver", "caddy"])).toEqual({ quick: false, driver: "caddy", sizes: {} });
});

it("takes the sizes that the benchmark knows", () => {
  const { sizes } = benchOptions({ sizes: ["services", "deployments"] }, ["--services", "20", "--quick"]);
  expect(sizes).toEqual({ services: 20 });
});

it.each([
  [["--driver", "apache"], "there is no driver apache; there is embedded, caddy"],
  [["--slow"], "Unknown option '--slow'"],
  [["--deployments", "3"], "Unknown option '--deployments'"],
  [["--services", "0"], "--services is a whole number from 1 on, not 0"],
  [["--services", "many"], "--services is a whole number from 1 on, not many"],
  [["quick"], "Unexpected argument 'quick'"],
])("refuses %j", (argv, message) => {
  expect(() => benchOptions({ drivers: ["embedded", "caddy"], sizes: ["services"] }, argv)).toThrow(message);
});

it("takes percentiles by nearest rank", () => {
  const values = [4, 1, 3, 2];
  expect([0, 25, 50, 75, 99, 100].map((percent) => percentile(values, percent))).toEqual([1, 1, 2, 3, 4, 4]);
});
