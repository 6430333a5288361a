import { expect, it } from "vitest";
import { verbFirst } from "./verb-first.ts";

const VERBS = ["status", "deploy", "env list"];

it.each([
  ["status --json", "status --json"],
  ["--config x.yaml status web", "status --config x.yaml web"],
  ["--config=x.yaml --json status", "status --config=x.yaml --json"],
  ["env --config x.yaml list web", "env list --config x.yaml web"],
  ["--json env --reason why list", "env list --json --reason why"],
  // A value that looks like a verb stays a value, and what follows the verb stays where it is.
  ["--reason status deploy --version v1", "deploy --reason status --version v1"],
  ["deploy --version status", "deploy --version status"],
  // What is no verb is left for the usage error.
  ["--config x.yaml deplooy", "--config x.yaml deplooy"],
  ["--help", "--help"],
  ["env --help", "env --help"],
  ["env", "env"],
  ["--reason", "--reason"],
  ["", ""],
])("%s → %s", (typed, wanted) => {
  const words = (text: string): string[] => text.split(" ").filter((word) => word !== "");
  expect(verbFirst(words(typed), VERBS)).toEqual(words(wanted));
});
