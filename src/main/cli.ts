import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { userInfo } from "node:os";
import type { Io, Sink } from "../cli/io.ts";
import type { Parts } from "../cli/parts.ts";
import { TealError } from "../model/error.ts";
import { systemClock } from "./clock.ts";
import type { LastStart } from "./last-start.ts";

// Halves the start of the command line from its second run on. Where the cache cannot be written it is left out.
enableCompileCache();

const { runCli } = await import("../cli/run.ts");

/** The command line: `teal VERB …`. Everything outside is put in here. */
const io: Io = {
  env: process.env,
  cwd: process.cwd(),
  stdout: sink(process.stdout),
  stderr: sink(process.stderr),
  pid: process.pid,
  interactive: process.stdin.isTTY,
  clock: systemClock,
  uniqueKey: randomUUID,
  onStop: (listener) => {
    process.on("SIGINT", listener).on("SIGTERM", listener);
    return () => process.off("SIGINT", listener).off("SIGTERM", listener);
  },
};

async function lastStartOf(config: string): Promise<LastStart | null> {
  const [{ readLastStart }, { statePathsOf }] = await Promise.all([
    import("./last-start.ts"),
    import("./state-paths.ts"),
  ]);
  return readLastStart(statePathsOf(config));
}

/** The path itself when there is no such file: that is told elsewhere. */
function realpath(path: string): string {
  return existsSync(path) ? realpathSync(path) : path;
}

const parts: Parts = {
  version: packageVersion(),
  program: { node: process.execPath, script: realpath(process.argv[1] ?? ""), user: userName() },
  loadConfig: async (file, env) => (await import("./read-config.ts")).readConfig(file, env),
  cautions: async ({ services }) => {
    const { environmentCautions } = await import("../drivers/cautions.ts");
    return Object.values(services).flatMap(({ name, environment }) =>
      environmentCautions(environment, process.getuid?.() ?? -1).map((message) => ({ service: name, message })),
    );
  },
  hasStarted: async (config) => (await lastStartOf(config)) !== null,
  client: async (config) => {
    const [{ TealClient }, { statePathsOf }, started] = await Promise.all([
      import("../sdk/client.ts"),
      import("./state-paths.ts"),
      lastStartOf(config),
    ]);
    if (started !== null && realpath(started.config) !== realpath(config)) {
      throw new TealError("usage", `Teal runs here with ${started.config}, not with ${config}`, {
        remedy: "Leave out --config; or `teal down` first, and `teal up` with the other file.",
      });
    }
    return new TealClient({ socket: statePathsOf(config).apiSocket }, systemClock, userName());
  },
  remote: async (url, token) => {
    const [{ TealClient }, { remoteEndpoint }] = await Promise.all([
      import("../sdk/client.ts"),
      import("../sdk/endpoint.ts"),
    ]);
    return new TealClient(remoteEndpoint(url, token), systemClock);
  },
  simulate: async (wish) => (await import("./simulate.ts")).simulated(wish),
  replay: async (traffic, spec) => (await import("./simulate.ts")).replayed(traffic, spec),
  up: async (options) => {
    const [{ up }, { packageRuntimeDir }] = await Promise.all([import("./up.ts"), import("./runtime-version.ts")]);
    return up({ bundles: packageRuntimeDir(), env: process.env, clock: systemClock, deadlineMs: 30_000, ...options });
  },
  down: async (options) => (await import("./down.ts")).down({ clock: systemClock, ...options }),
  directAbort: async (options) =>
    (await import("./direct-abort.ts")).directAbort({ clock: systemClock, by: userName(), ...options }),
  doctor: async (options) => {
    const [{ doctor }, { packageRuntimeDir }] = await Promise.all([
      import("./doctor/doctor.ts"),
      import("./runtime-version.ts"),
    ]);
    return doctor({ bundles: packageRuntimeDir(), clock: systemClock, ...options });
  },
  ended: async (config, signal) => {
    // Who watches for the end may have to bring it about, when another version of the package has long taken these files' place.
    const [{ keeperEnd }] = await Promise.all([
      import("./keeper-end.ts"),
      import("./down.ts"),
      import("./read-config.ts"),
    ]);
    return keeperEnd(config, systemClock, signal);
  },
};

// `teal events | head`: the reader has what it wanted.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? 0 : 1);
});

const exit = await runCli(process.argv.slice(2), io, parts);
// Pipes are written asynchronously; what is still on its way goes first.
process.stdout.write("", () => {
  process.stderr.write("", () => {
    process.exit(exit);
  });
});

function sink(stream: NodeJS.WriteStream): Sink {
  return {
    write: (text) => {
      stream.write(text);
    },
    get terminal() {
      return stream.isTTY;
    },
    get columns() {
      return stream.isTTY ? stream.columns : 80;
    },
    get rows() {
      return stream.isTTY ? stream.rows : 24;
    },
  };
}

/** Who asks, for the history. A user id without an entry in the user database has no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${String(process.getuid?.() ?? "unknown")}`;
  }
}

function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  return typeof manifest === "object" && manifest !== null && "version" in manifest
    ? String(manifest.version)
    : "unknown";
}
