// A shop without dependencies, whose faults no proxy can see; Node 18 or newer.
//
//   GET /                     its products: {version, environment, products}
//   GET /health               200
//   GET /deployment/validate  {deployment_ready, database: {errors, operations, pool: {used, size}}}
//   GET /metrics              queue_lag_seconds, for Prometheus
//
// Prometheus has to know where the instances are: each writes a file into TARGETS_DIR when it listens, and removes it when it
// is stopped (file_sd_configs). Its label `env` is what $environment stands for in teal.yaml.
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { behaviourOf } from "./behaviours.js";

const {
  PORT = "3000",
  HOST = "127.0.0.1",
  TEAL_VERSION = "dev",
  TEAL_ENVIRONMENT = "dev",
  TEAL_INSTANCE = "dev",
  TARGETS_DIR = "/tmp/teal-shop-targets",
} = process.env;
const behaviour = behaviourOf(TEAL_VERSION);
const began = Date.now();
// They only grow; a new process begins at zero, which Teal takes for what it is.
const database = { errors: 0, operations: 0, pool: { used: 0, size: 20 } };

/** Stands for a query: some fail, and none is seen to. */
async function query(result, otherwise) {
  database.operations += 1;
  const fails = behaviour.errorEvery > 0 && database.operations % behaviour.errorEvery === 0;
  if (fails) database.errors += 1;
  database.pool.used += 1;
  await new Promise((resolve) => setTimeout(resolve, 2));
  database.pool.used -= 1;
  return fails ? otherwise : result;
}

async function page() {
  const products = await query(behaviour.products, ["tea"]);
  await query(null, null);
  await query(null, null);
  return { version: TEAL_VERSION, environment: TEAL_ENVIRONMENT, products };
}

function lagSeconds() {
  return 1 + (behaviour.lagPerSecond * (Date.now() - began)) / 1_000;
}

const server = createServer((request, response) => {
  const json = (data) => response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(data));
  switch (request.url) {
    case "/":
      return page().then(json);
    case "/health":
      return json({ healthy: true });
    case "/deployment/validate":
      return json({ deployment_ready: true, database });
    case "/metrics":
      return response
        .writeHead(200, { "content-type": "text/plain; version=0.0.4" })
        .end(`# TYPE queue_lag_seconds gauge\nqueue_lag_seconds ${lagSeconds().toFixed(3)}\n`);
    default:
      return response.writeHead(404).end();
  }
});

const targets = `${TARGETS_DIR}/${TEAL_INSTANCE.replaceAll("/", "_")}.json`;

function stop() {
  rmSync(targets, { force: true });
  server.close(() => process.exit(0));
  server.closeIdleConnections();
}
process.on("SIGTERM", stop);
process.on("SIGINT", stop);

server.listen(Number(PORT), HOST, () => {
  const groups = [{ targets: [`${HOST}:${PORT}`], labels: { env: TEAL_ENVIRONMENT, version: TEAL_VERSION } }];
  mkdirSync(TARGETS_DIR, { recursive: true });
  // Renamed, so that Prometheus never reads half of it.
  writeFileSync(`${targets}.new`, JSON.stringify(groups));
  renameSync(`${targets}.new`, targets);
  console.log(`${TEAL_VERSION} listens on ${HOST}:${PORT}`);
});
