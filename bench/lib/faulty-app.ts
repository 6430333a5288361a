import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * What the detect benchmark releases. The version says how it answers: `all-…` fails every request, `fifth-…` every fifth,
 * `slow-…` takes three times as long, anything else is good. Times to answer are lognormal: median 10 ms, σ 0.5.
 */
const { PORT = "0", HOST = "127.0.0.1", TEAL_VERSION = "good" } = process.env;
const [kind = "good"] = TEAL_VERSION.split("-");
const MEDIAN_MS = kind === "slow" ? 30 : 10;
const SIGMA = 0.5;
const FAILING = { all: 1, fifth: 0.2 } as Readonly<Record<string, number>>;

function normal(): number {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}

const server = createServer((request, response) => {
  if (request.url === "/health") {
    response.end("ok");
    return;
  }
  request.resume();
  const fails = Math.random() < (FAILING[kind] ?? 0);
  void sleep(MEDIAN_MS * Math.exp(SIGMA * normal())).then(() => {
    response.writeHead(fails ? 500 : 200, { "x-kind": kind, "content-length": 2 });
    response.end("ok");
  });
});
server.keepAliveTimeout = 60_000;
server.listen(Number(PORT), HOST);
process.on("SIGTERM", () => {
  server.close(() => {
    process.exit(0);
  });
  server.closeIdleConnections();
});
