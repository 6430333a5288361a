import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseLaunch, proxyLaunch } from "../wire/launch.ts";
import { ProxyProcess } from "../proxy/proxy-process.ts";
import { systemClock } from "./clock.ts";
import { LossyLines } from "./lossy-lines.ts";

/** Sources and runtime bundles have the same file names, in one folder. */
const extension = extname(fileURLToPath(import.meta.url));
const launch = parseLaunch(proxyLaunch, process.argv);

const inLine = (message: string): string => `${new Date().toISOString()} proxy: ${message}\n`;
const lines = new LossyLines(2, (lost, why) => inLine(`${String(lost)} lines of this log were lost: ${why}`));
const log = (message: string): void => {
  lines.write(inLine(message));
};
// Where Node itself has something to say and the disk is full.
process.stderr.on("error", () => undefined);

const proxy = new ProxyProcess({
  launch,
  workerProgram: new URL(`proxy-worker${extension}`, import.meta.url),
  keeperProgram: join(launch.runtime, `keeper${extension}`),
  clock: systemClock,
  random: Math.random,
  log,
  exit: (code) => process.exit(code),
});

// The keeper ends it by `drain`; a signal that a terminal sends to its whole group must not end traffic.
for (const signal of ["SIGINT", "SIGHUP", "SIGPIPE"] as const) process.on(signal, () => undefined);
process.on("uncaughtException", (error) => {
  log(`ends: ${error.stack ?? error.message}`);
  process.exit(1);
});

await proxy.start();
