import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ConfigFolder } from "../config/fixtures.ts";
import { ConfigurationFile } from "./configuration-file.ts";
import { loadInThread } from "./config-thread.ts";

const PROGRAM = new URL("config-worker.ts", import.meta.url);
const TEXT = `version: 1
services:
  web:
    release: { dir: ./app }
    environment: { command: ./run, env: { A: "\${env:A}", S: "\${file:./secret}" }, envFiles: [./prod.env] }
`;

describe("teal.yaml, looked at anew with each load", () => {
  let folder: ConfigFolder;
  let readings: number;
  let file: ConfigurationFile;

  beforeEach(() => {
    folder = new ConfigFolder({ "app/x": "", secret: "one\n", "prod.env": "B=1\n", "teal.yaml": TEXT });
    readings = 0;
    file = new ConfigurationFile(join(folder.path, "teal.yaml"), { A: "1" }, (question) => {
      readings += 1;
      return loadInThread(PROGRAM, question);
    });
  });
  afterEach(() => {
    folder[Symbol.dispose]();
  });

  async function hashes(): Promise<unknown> {
    const [web] = await file.load({});
    return JSON.stringify(web?.environment.env);
  }

  test("is read once as long as nothing changes, however many ask at once", async () => {
    await Promise.all([file.load({}), file.load({}), file.load({})]);
    await file.load({ UNRELATED: "x" });
    expect(readings).toBe(1);
    expect(Object.isFrozen((await file.load({}))[0])).toBe(true);
  });

  test.each([
    ["itself", "teal.yaml", TEXT.replace("./run", "./run2")],
    ["a file that it refers to", "secret", "two\n"],
    ["a file of variables", "prod.env", "B=2\n"],
  ])("is read again when %s changes", async (_what, name, text) => {
    const before = JSON.stringify(await file.load({}));
    folder.write(name, text);
    expect(JSON.stringify(await file.load({}))).not.toBe(before);
    expect(readings).toBe(2);
  });

  test("is read again when a value comes with a request, which is then remembered", async () => {
    const before = await hashes();
    await file.load({ A: "2" });
    const after = await hashes();
    expect(after).not.toBe(before);
    expect(readings).toBe(2);
  });

  test("says what is wrong when it, or a folder of it, is gone, and is read again when that is mended", async () => {
    await file.load({});
    rmSync(join(folder.path, "app"), { recursive: true });
    await expect(file.load({})).rejects.toMatchObject({ code: "config-invalid", problems: [{ line: 4 }] });
    expect(file.services()).toEqual(["web"]);
    folder.write("app/x", "");
    expect((await file.load({})).map(({ name }) => name)).toEqual(["web"]);
  });
});

test("a thread that cannot run says so", async () => {
  using folder = new ConfigFolder({ "teal.yaml": TEXT });
  const question = { file: join(folder.path, "teal.yaml"), variables: {} };
  await expect(loadInThread(new URL("no-such-program.ts", import.meta.url), question)).rejects.toThrow(
    /no-such-program/,
  );
});
