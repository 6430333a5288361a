import { defineConfig } from "vitest/config";
import CampaignFirst from "./scripts/lib/campaign-first.ts";

const everywhere = "{src,test,scripts,bench,examples}/**";

/**
 * `unit`: fast, in parallel. `integration`: starts real processes, one file at a time, as timings on a crowded machine
 * say nothing. `sites`: a whole Teal for each test, two files at a time: they wait for most of their time, by cause and not
 * by the clock. `packaging`: builds, packs and installs the package.
 */
export default defineConfig({
  test: {
    allowOnly: false,
    // Children started by tests must not think that they run under npm in this checkout.
    env: { npm_package_json: "", INIT_CWD: "" },
    sequence: { sequencer: CampaignFirst },
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: [`${everywhere}/*.test.ts`],
          exclude: ["**/node_modules/**", "**/*.integration.test.ts", "**/*.packaging.test.ts"],
          // They take milliseconds, and properties seconds; on a machine that is busy with other things, many times that.
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: "integration",
          include: [`${everywhere}/*.integration.test.ts`],
          exclude: ["**/node_modules/**", "test/**"],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: "sites",
          include: ["test/**/*.integration.test.ts"],
          maxWorkers: 2,
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: "packaging",
          include: ["scripts/**/*.packaging.test.ts"],
          exclude: ["**/node_modules/**"],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
