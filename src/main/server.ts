import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { basename, extname, join } from "node:path";
import { Registry } from "prom-client";
import type { CloudWatchSdk } from "../drivers/metrics/cloudwatch/sdk.ts";
import { type Drivers, makeDrivers } from "../drivers/registry.ts";
import { ReleaseFolders } from "../drivers/release/folder.ts";
import { LocalValidator } from "../drivers/validation/validator.ts";
import { Engine } from "../engine/engine.ts";
import { Hub } from "../engine/hub.ts";
import { Journal } from "../engine/journal.ts";
import { Tokens } from "../engine/tokens.ts";
import type { ApiListen } from "../model/api-listen.ts";
import { addConnections, type ConnectionCounts, NO_CONNECTIONS } from "../model/connections.ts";
import { TealError, toTealError } from "../model/error.ts";
import type { AnsweredCall } from "../server/info.ts";
import { openSqliteStore, sqliteReaders } from "../store/sqlite/open.ts";
import { acquireOwnership } from "../store/sqlite/ownership.ts";
import { ensureStateDirectory } from "../store/state-directory.ts";
import { readBeside } from "../store/read-beside.ts";
import { queuedStore } from "../store/queued.ts";
import { rememberedReleases } from "../store/remembered-releases.ts";
import type { Store } from "../store/store.ts";
import type { KeeperProtocol } from "../wire/keeper.ts";
import { parseLaunch, type ServerLaunch, serverLaunch } from "../wire/launch.ts";
import { StatePaths } from "../wire/paths.ts";
import type { Params } from "../wire/protocol.ts";
import type { ReconnectingPeer } from "../wire/reconnecting.ts";
import { proxySettings } from "../wire/shapes.ts";
import { Api } from "./api.ts";
import { ControlMetrics } from "./control-metrics.ts";
import { systemClock } from "./clock.ts";
import { measuredStore } from "./measured-store.ts";
import { type ConfigQuestion, type LoadedConfig, loadInThread } from "./config-thread.ts";
import { ConfigurationFile } from "./configuration-file.ts";
import { connectedKeeper, lostKeeper } from "./server-keeper.ts";
import { timeSortedIds } from "./ids.ts";
import { keepListeners, listenNow } from "./kept-listeners.ts";
import { knownListeners } from "./known-listeners.ts";
import { readLastStart, writeLastStart } from "./last-start.ts";
import type { ProcessReplaced } from "./process-events.ts";
import { ProxyTotals } from "./proxy-totals.ts";
import { logEvents, reporter, serverLog, standardOutput } from "./server-log.ts";
import { type MetricsParts, serverMetrics } from "./server-metrics.ts";
import type * as CloudWatch from "./cloudwatch.ts";
import type * as Tracing from "./tracing.ts";
import { watchProcesses } from "./watch-processes.ts";

/** sysexits.h, EX_CONFIG: it cannot run as things are, so that the keeper does not start it again at once. */
const CANNOT_RUN = 78;
/** Calls of the store on behalf of what runs. Enough to commit many at once, few enough that an answer need not wait. */
const AT_ONCE = 16;

/** Where the server and the proxy are to listen, and the proxy's settings. */
type Wanted = Params<KeeperProtocol, "listeners.ensure"> & { readonly server: ApiListen };

const OF_THIS_PROCESS = { uid: process.getuid?.() ?? -1, environment: process.env };
const log = serverLog(process.env["TEAL_LOG_LEVEL"], standardOutput());
const report = reporter(log);

/**
 * The server's process: `node server.mjs '<ServerLaunch>'`, started and watched by the keeper. SIGTERM leaves deployments
 * where they stand: the next server goes on with them. Exit codes: 0 after that, 78 when it cannot run here, 1 when it failed.
 */
async function serve(launch: ServerLaunch): Promise<() => Promise<void>> {
  const paths = new StatePaths(launch.root);
  for (const warning of ensureStateDirectory(paths.root).warnings) log.warn(warning);
  const ownership = own(paths);
  const clock = systemClock;
  const aboutKeeper = { paths, clock, log: (text: string) => log.warn(text), report };
  const { keeper, hung } = connectedKeeper(aboutKeeper);
  const ended = new AbortController();
  void lostKeeper({ keeper, hung, launch, ...aboutKeeper }).run(ended.signal);
  const configuration = new ConfigurationFile(launch.config, process.env, readInThread);
  const unread = await problemOf(configuration.load({}));
  const { store, reads, ...measured } = await openMeasuredStore(paths);
  const drivers = makeDrivers({ keeper, paths, clock, ...OF_THIS_PROCESS, cloudWatch });
  const { server, ...wanted } = await ensureListeners(keeper, { paths, config: launch.config }, configuration, unread);
  keepListeners({ keeper, wanted, clock, report, signal: ended.signal });
  const hub = new Hub();
  const journal = new Journal(store, hub, clock);
  const engine = new Engine({
    store,
    reads,
    hub,
    journal,
    clock,
    ids: timeSortedIds(clock),
    ...drivers,
    releases: new ReleaseFolders({ releases: paths.releases, stateRoot: paths.root }),
    validator: new LocalValidator({ clock, environment: process.env }),
    configuration,
    report,
  });
  const version = basename(launch.runtime);
  logEvents(log, hub, ended.signal);
  const endTracing = await traced({ hub, find: (id) => store.deployment(id), version, report, signal: ended.signal });
  const totals = new ProxyTotals({ file: join(paths.root, "proxy-counts.json"), clock, report });
  const info = {
    version,
    listeners: knownListeners((options) => keeper.call("status", {}, options), report),
    ...metricsOf(engine.control, keeper, { measured, hub, totals, version, drivers, signal: ended.signal }),
  };
  const tokens = await Tokens.open({ store, journal, clock, random: randomBytes, report });
  const api = new Api({ control: engine.control, tokens, tcp: server, info, clock, report });
  await engine.start({ version, pid: process.pid });
  await api.listen(paths.apiSocket, ended.signal);
  const tell = (change: ProcessReplaced): Promise<void> =>
    journal.append(journal.event("process-replaced", { ...change }));
  const hangs = (count: number): void => measured.own.serverHangs(count);
  watchProcesses({ keeper, clock, runtimes: paths.runtime, version, hangs, tell, report, signal: ended.signal });
  log.info({ socket: paths.apiSocket, version, log: join(paths.logs, "server.log") }, "the server is ready");
  return async () => {
    ended.abort();
    await totals.save();
    await api.close();
    await engine.stop();
    await endTracing();
    // The keeper asks until the last: a store that closes slowly is no hang.
    await reads.close();
    keeper.close();
    ownership.release();
  };
}

function own({ serverLock }: StatePaths): ReturnType<typeof acquireOwnership> {
  return acquireOwnership(serverLock, { pid: process.pid, host: hostname(), since: Date.now(), role: "server" });
}

function readInThread(question: ConfigQuestion): Promise<LoadedConfig> {
  return loadInThread(threadProgram("config-worker"), question);
}

/** Spans, when the environment names a collector. The packages for it are a bundle of their own: nobody else loads them. */
async function traced(parts: Tracing.TracingParts): Promise<() => Promise<void>> {
  const { env } = process;
  const endpoint = env["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] ?? env["OTEL_EXPORTER_OTLP_ENDPOINT"] ?? "";
  const isOff = env["OTEL_TRACES_EXPORTER"] === "none" || env["OTEL_SDK_DISABLED"] === "true";
  if (endpoint === "" || isOff) return () => Promise.resolve();
  try {
    const { startTracing } = (await import(threadProgram("tracing").href)) as typeof Tracing;
    return startTracing(parts);
  } catch (thrown) {
    report(toTealError(thrown), { doing: "tracing" });
    return () => Promise.resolve();
  }
}

/** The same of the AWS SDK, when a guardrail first reads a metric of CloudWatch. */
async function cloudWatch(): Promise<CloudWatchSdk> {
  return ((await import(threadProgram("cloudwatch").href)) as typeof CloudWatch).cloudWatchSdk;
}

/** The entry of a thread: the file beside this one, from source or as a bundle. */
function threadProgram(name: string): URL {
  return new URL(`./${name}${extname(import.meta.url)}`, import.meta.url);
}

/** The store, and the metrics that count its calls. */
async function openMeasuredStore(
  paths: StatePaths,
): Promise<{ store: Store; reads: Store; registry: Registry; own: ControlMetrics }> {
  const opened = await openStore(paths);
  const registry = new Registry();
  const own = new ControlMetrics(registry, await opened.unfinished());
  const monotonic = (): number => systemClock.monotonic();
  const measured = measuredStore(opened, monotonic, {
    storeCall: (call) => {
      own.storeCall(call);
    },
  });
  // What runs decides by reads that are in order with its writes; answers to people need not be.
  const store = rememberedReleases(measured);
  const reads = readBeside(store, {
    open: sqliteReaders(paths.database),
    monotonic,
    onFailure: (problem) => {
      report(problem, { doing: "reading beside the writes" });
    },
  });
  return { store: queuedStore(store, AT_ONCE), reads, registry, own };
}

/** In a thread of its own; when that keeps ending, so does this process. */
function openStore(paths: StatePaths): Promise<Store> {
  return openSqliteStore({
    file: paths.database,
    workerUrl: threadProgram("store-worker"),
    onCrash: (problem, final) => {
      log.error({ code: problem.code, final }, problem.message);
      if (final) process.exit(1);
    },
  });
}

/**
 * What is on record goes on without teal.yaml: a file that was broken since, or a secret that came with a deploy and is not
 * in this environment, must not keep a server from coming back. A first start needs it.
 */
async function ensureListeners(
  keeper: ReconnectingPeer<KeeperProtocol>,
  { paths, config }: { readonly paths: StatePaths; readonly config: string },
  configuration: ConfigurationFile,
  unread: TealError | null,
): Promise<Wanted> {
  const problem = unread ?? new TealError("config-missing", "teal.yaml was not read");
  const { proxy } = configuration;
  const before = proxy === null ? readLastStart(paths) : null;
  const wanted = proxy ?? before;
  const server = configuration.server ?? before?.server;
  if (wanted === null || server === undefined) throw problem;
  if (proxy === null) report(problem, { doing: "going on with what is on record" });
  const listen = [...wanted.listen];
  const settings = proxySettings.parse(wanted.settings);
  await listenNow({ keeper, wanted: { listen, settings }, clock: systemClock });
  if (proxy !== null)
    await writeLastStart(paths, { config, listen, settings, server: { ...server, hosts: [...server.hosts] } });
  return { listen, settings, server };
}

function metricsOf(
  control: Engine["control"],
  keeper: ReconnectingPeer<KeeperProtocol>,
  {
    measured,
    drivers,
    ...parts
  }: Pick<MetricsParts, "hub" | "totals" | "version" | "signal"> & {
    readonly measured: Pick<MetricsParts, "registry" | "own">;
    readonly drivers: Drivers;
  },
): { metrics: () => Promise<string>; answered: (call: AnsweredCall) => void } {
  const connections = (): ConnectionCounts =>
    [...drivers.traffic.values()]
      .map((driver) => driver.connections?.() ?? NO_CONNECTIONS)
      .reduce(addConnections, NO_CONNECTIONS);
  const now = (): number => systemClock.now();
  const keeperConnected = (): boolean => keeper.connected;
  return {
    metrics: serverMetrics({ ...parts, ...measured, control, connections, now, keeperConnected }),
    answered: (call) => {
      measured.own.apiCall(call);
    },
  };
}

async function problemOf(task: Promise<unknown>): Promise<TealError | null> {
  try {
    await task;
    return null;
  } catch (thrown) {
    return toTealError(thrown);
  }
}

async function main(): Promise<void> {
  process.on("SIGHUP", () => undefined);
  try {
    const stop = await serve(parseLaunch(serverLaunch, process.argv));
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.once(signal, () => {
        log.info({ signal }, "the server is stopping");
        stop().then(
          () => process.exit(0),
          (thrown: unknown) => {
            fail(thrown, 1);
          },
        );
      });
    }
  } catch (thrown) {
    fail(thrown, CANNOT_RUN);
  }
}

function fail(thrown: unknown, code: number): never {
  const problem = toTealError(thrown);
  const { code: reason, message, remedy, problems, cause } = problem;
  // A failure that we have no code for is a bug: its stack is what helps. `teal up` reads this line.
  const err = reason === "internal" ? (cause ?? problem) : undefined;
  log.fatal({ code: reason, remedy, problems, err }, message);
  process.exit(code);
}

// Where Node itself has something to say and the disk is full.
process.stderr.on("error", () => undefined);
process.on("uncaughtException", (thrown) => fail(thrown, 1));
process.on("unhandledRejection", (thrown) => fail(thrown, 1));
await main();
