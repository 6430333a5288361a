import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Rival, Side } from "../rivals/rival.ts";
import { readAppLedger } from "./app-ledger.ts";
import { freePort } from "./free-port.ts";
import { Program } from "./program.ts";
import type { Switchboard } from "./switchboard.ts";

const APP = fileURLToPath(new URL("../../examples/web-node/app", import.meta.url));
const VERSIONS = { blue: "v1", green: "v2" } as const;
/** As many as Teal's side has. */
const INSTANCES = 2;

/** The same app behind another proxy, which switches in its own way. */
export async function rivalSwitchboard(rival: Rival): Promise<Switchboard> {
  await using started = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "teal-bench-"));
  started.defer(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const start = (side: Side): Promise<string[]> =>
    Promise.all(Array.from({ length: INSTANCES }, (_, i) => startInstance(folder, side, i, started)));
  const sides = { blue: await start("blue"), green: await start("green") };
  const port = freePort();
  const threads = availableParallelism();
  const { program, switchTo } = await rival.start({
    folder,
    port,
    cpu: null,
    threads,
    sides,
    active: "green",
    health: "/health",
  });
  started.defer(() => program.stop());
  const url = `http://127.0.0.1:${String(port)}`;
  await program.ready(`${url}/health`);
  const kept = started.move();
  const took: number[] = [];
  return {
    url,
    versions: VERSIONS,
    active: "green",
    async switchTo(side) {
      const began = performance.now();
      if (await switchTo(side)) took.push(performance.now() - began);
    },
    expose: null,
    tookMs: () => Promise.resolve(took),
    async settled(load) {
      await load.stop();
      load.ledger.reconcile(await readAppLedger(join(folder, "releases")));
      return load.ledger.summary();
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** @returns its `host:port` */
async function startInstance(
  folder: string,
  side: Side,
  ordinal: number,
  started: AsyncDisposableStack,
): Promise<string> {
  const version = VERSIONS[side];
  const release = join(folder, "releases", version);
  cpSync(APP, release, { recursive: true });
  const port = freePort();
  const name = `${side}${String(ordinal)}`;
  const instance = await Program.start([process.execPath, "server.js"], {
    name,
    folder,
    cpu: null,
    cwd: release,
    env: {
      PORT: String(port),
      HOST: "127.0.0.1",
      TEAL_VERSION: version,
      TEAL_ENVIRONMENT: side,
      TEAL_INSTANCE: name,
    },
  });
  started.defer(() => instance.stop());
  const address = `127.0.0.1:${String(port)}`;
  await instance.ready(`http://${address}/health`);
  return address;
}
