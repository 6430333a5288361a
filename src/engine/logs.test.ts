import { describe, expect, test } from "vitest";
import { directSqliteStore } from "../store/sqlite/direct.ts";
import { Rig } from "./testing/rig.ts";

async function rig(): Promise<Rig> {
  const made = new Rig(directSqliteStore(":memory:"));
  await made.engine.start({});
  return made;
}

async function texts(made: Rig, environment: string | null, lines = 100): Promise<string[]> {
  const read: string[] = [];
  const options = { environment, lines, follow: false, signal: AbortSignal.timeout(5_000) };
  for await (const { text } of made.engine.control.logs("web", options)) read.push(text);
  return read;
}

describe("logs", () => {
  test("of a release that has failed are there, by name and without", async () => {
    const made = await rig();
    made.environments.behaviour.set("v1", "crash-loop");
    expect((await made.deployed("v1")).state).toBe("failed");
    made.environments.printed.set("web/blue", [{ at: 1, instance: "web/blue/v1/0", text: "Error: no database" }]);
    expect(await texts(made, "blue")).toEqual(["Error: no database"]);
    expect(await texts(made, null)).toEqual(["Error: no database"]);
  });

  test("of all environments come in the order of time, the last ones", async () => {
    const made = await rig();
    await made.deployed("v1");
    made.environments.behaviour.set("v2", "crash-loop");
    await made.deployed("v2");
    const line = (at: number, text: string) => ({ at, instance: "i", text });
    made.environments.printed.set("web/blue", [line(1, "b1"), line(3, "b3")]);
    made.environments.printed.set("web/green", [line(2, "g2"), line(4, "g4")]);
    expect(await texts(made, null)).toEqual(["b1", "g2", "b3", "g4"]);
    expect(await texts(made, null, 2)).toEqual(["b3", "g4"]);
    expect(await texts(made, "green")).toEqual(["g2", "g4"]);
  });

  test("of a service that has never run are empty; of an environment that is not there, refused", async () => {
    const made = await rig();
    expect(await texts(made, null)).toEqual([]);
    await expect(texts(made, "purple")).rejects.toMatchObject({ code: "environment-unknown" });
  });
});
