import { expect, test } from "vitest";
import type { EnvironmentTarget } from "../../../ports/environment.ts";
import { rootProblem } from "./root.ts";
import { childVariables } from "./variables.ts";

const target = (user: string | null, variables = {}): EnvironmentTarget =>
  ({
    service: "web",
    environment: "blue",
    variables,
    release: { id: "v2+1", version: "v2", spec: { environment: { user } } },
  }) as unknown as EnvironmentTarget;
const TEAL = { TEAL_SERVICE: "web", TEAL_ENVIRONMENT: "blue", TEAL_VERSION: "v2", TEAL_INSTANCE: "web/blue/v2+1/3" };

test("of Teal's own environment only the named ones pass, and only when they are set", () => {
  const own = {
    PATH: "/bin",
    HOME: "/home/me",
    USER: "me",
    LANG: "C",
    TZ: "UTC",
    TMPDIR: "/t",
    AWS_SECRET: "x",
    NODE_OPTIONS: "x",
    LD_PRELOAD: "x",
  };
  expect(childVariables(target(null), 3, own)).toEqual({
    PATH: "/bin",
    HOME: "/home/me",
    USER: "me",
    LANG: "C",
    TZ: "UTC",
    TMPDIR: "/t",
    HOST: "127.0.0.1",
    ...TEAL,
  });
  expect(childVariables(target(null), 3, {})).toEqual({ HOST: "127.0.0.1", ...TEAL });
});

test("what teal.yaml says wins, but not over Teal's own", () => {
  const variables = { PATH: "/opt", DB: "x", TEAL_INSTANCE: "forged", TEAL_SERVICE: "forged" };
  expect(childVariables(target(null, variables), 3, { PATH: "/bin" })).toEqual({
    PATH: "/opt",
    DB: "x",
    HOST: "127.0.0.1",
    ...TEAL,
  });
});

test("another user has its own home and name", () => {
  expect(childVariables(target("root"), 3, { HOME: "/home/me", USER: "me" })).toEqual({
    HOME: "/root",
    USER: "root",
    HOST: "127.0.0.1",
    ...TEAL,
  });
});

test("to run an app as root is doubtful unless it is said", () => {
  expect(rootProblem({ user: null }, 0)).toContain("environment.user");
  expect(rootProblem({ user: "root" }, 0)).toBeNull();
  expect(rootProblem({ user: null }, 1_000)).toBeNull();
});
