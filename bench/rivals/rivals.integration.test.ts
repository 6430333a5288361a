import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { requires } from "../../test/requires.ts";
import { freePort } from "../lib/free-port.ts";
import type { Program } from "../lib/program.ts";
import { RIVALS } from "./index.ts";

let folder: string;
let servers: Server[];
let program: Program | null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "teal-rivals-"));
  servers = [];
  program = null;
});
afterEach(async () => {
  await program?.stop();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  rmSync(folder, { recursive: true });
});

/** @returns the address of a server that says its name */
async function serverOf(name: string): Promise<string> {
  const server = createServer((_, response) => response.end(name));
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

it.for(RIVALS)("$name takes its configuration and switches there and back", async (rival, test) => {
  requires(test, rival.name);
  const port = freePort();
  const sides = { blue: [await serverOf("blue")], green: [await serverOf("green")] };
  const plan = { folder, port, cpu: null, threads: 1, sides, active: "blue", health: "/" } as const;
  const running = await rival.start(plan);
  ({ program } = running);
  const url = `http://127.0.0.1:${String(port)}/`;
  await program.ready(url);
  const answers = async (): Promise<string> =>
    fetch(url).then(
      (answer) => answer.text(),
      (thrown: unknown) => String(thrown),
    );
  expect(await answers()).toBe("blue");
  for (const side of ["green", "blue"] as const) {
    await running.switchTo(side);
    await expect.poll(answers, { timeout: 10_000 }).toBe(side);
  }
});
