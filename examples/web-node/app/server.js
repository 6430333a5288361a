// A small web app without dependencies; Node 18 or newer.
//
//   GET  /                     who answers: {id, version, environment, instance}; ?bytes=N adds N bytes
//   GET  /health               200 when it can serve
//   GET  /deployment/validate  {deployment_ready: true} when it is fit for production traffic
//   POST /orders               takes an order: {id, digest of the body, how often this id was taken, version, instance}
//   GET  /ledger               the orders that this instance has taken: {id: times}
//   GET  /events               a stream of server-sent events
//   GET  /echo                 a WebSocket that sends back what it gets
//
// Every answer has x-digest, the SHA-256 of its body, and echoes x-request-id, so that a client can tell a right answer
// from one that was cut or mixed up on its way; and x-arrived, when its request came, in milliseconds since the epoch.
import { createHash, randomUUID } from "node:crypto";
import { appendFileSync, mkdirSync } from "node:fs";
import { createServer } from "node:http";
import { behaviourOf } from "./behaviours.js";
import { closeAll, echo } from "./websocket.js";

const {
  PORT = "3000",
  HOST = "127.0.0.1",
  TEAL_VERSION = "dev",
  TEAL_ENVIRONMENT = "dev",
  TEAL_INSTANCE = "dev",
  LEDGER_DIR = "ledger",
} = process.env;
const behaviour = behaviourOf(TEAL_VERSION);
const who = { version: TEAL_VERSION, environment: TEAL_ENVIRONMENT, instance: TEAL_INSTANCE };

const ledger = new Map();
// Beside the one in memory, so that it can still be read when this process is gone.
const ledgerFile = `${LEDGER_DIR}/${TEAL_INSTANCE.replaceAll("/", "_")}-${process.pid}.txt`;
const streams = new Set();
let requests = 0;
let stopping = false;

const server = createServer((request, response) => {
  request.arrivedAt = performance.timeOrigin + performance.now();
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => route(request, response, Buffer.concat(chunks)));
});

server.on("upgrade", (request, socket, head) => {
  if (new URL(request.url, "http://app").pathname === "/echo")
    echo(request, socket, head, { "x-version": TEAL_VERSION });
  else socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
});

function route(request, response, body) {
  const { pathname, searchParams } = new URL(request.url, "http://app");
  switch (`${request.method} ${pathname}`) {
    case "GET /health":
      return answer(request, response, behaviour.healthy ? 200 : 503, { healthy: behaviour.healthy });
    case "GET /deployment/validate":
      return answer(request, response, 200, { deployment_ready: true, checks: { orders: "ok" } });
    case "GET /ledger":
      return answer(request, response, 200, Object.fromEntries(ledger));
    case "GET /events":
      return stream(response);
    case "GET /":
      return work(request, response, () => ({ ...who, padding: "x".repeat(Number(searchParams.get("bytes"))) }));
    case "POST /orders":
      return work(request, response, () => takeOrder(request.headers["x-request-id"] ?? randomUUID(), body));
    default:
      return answer(request, response, 404, { error: "there is nothing here" });
  }
}

/** What costs time, and what a bad release gets wrong. */
function work(request, response, result) {
  requests += 1;
  const fails = behaviour.failEvery > 0 && requests % behaviour.failEvery === 0;
  setTimeout(() => {
    if (fails) answer(request, response, 500, { ...who, error: "this release has a bug" });
    else answer(request, response, 200, result());
  }, behaviour.latencyMs);
}

function takeOrder(id, body) {
  const times = (ledger.get(id) ?? 0) + 1;
  ledger.set(id, times);
  mkdirSync(LEDGER_DIR, { recursive: true });
  appendFileSync(ledgerFile, `${id}\n`);
  const digest = behaviour.rightReceipts ? sha256(body) : "0";
  return { ...who, times, digest };
}

function answer(request, response, status, data) {
  const id = request.headers["x-request-id"];
  const body = Buffer.from(JSON.stringify({ id, ...data }));
  const headers = { "content-type": "application/json", "content-length": body.length, "x-digest": sha256(body) };
  if (id !== undefined) headers["x-request-id"] = id;
  headers["x-version"] = TEAL_VERSION;
  headers["x-arrived"] = request.arrivedAt.toFixed(3);
  if (stopping) headers.connection = "close";
  response.writeHead(status, headers).end(body);
}

function stream(response) {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  let count = 0;
  const tick = () => response.write(`id: ${count}\ndata: ${JSON.stringify({ ...who, count: count++ })}\n\n`);
  tick();
  const timer = setInterval(tick, 250);
  streams.add(response);
  response.on("close", () => {
    clearInterval(timer);
    streams.delete(response);
  });
}

function sha256(data) {
  return createHash("sha256").update(data).digest("hex");
}

/** Takes nothing new, finishes what it has, and ends. */
function stop() {
  if (stopping) return;
  stopping = true;
  console.log("stopping");
  server.close(() => process.exit(0));
  server.closeIdleConnections();
  for (const response of streams) response.end();
  closeAll();
}
process.on("SIGTERM", stop);
process.on("SIGINT", stop);

server.listen(Number(PORT), HOST, () => {
  console.log(`${TEAL_VERSION} listens on ${HOST}:${PORT}`);
});
if (behaviour.crashAfterMs > 0) {
  setTimeout(() => {
    console.error("this release ends by itself");
    process.exit(1);
  }, behaviour.crashAfterMs);
}
