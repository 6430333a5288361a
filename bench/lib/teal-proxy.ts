import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bindSocket } from "../../src/keeper/bound-socket.ts";
import type { Milliseconds } from "../../src/model/time.ts";
import { connectPeer } from "../../src/wire/connect.ts";
import { NODE_FLAGS, type ProxyLaunch } from "../../src/wire/launch.ts";
import { StatePaths } from "../../src/wire/paths.ts";
import { proxySettings } from "../../src/wire/shapes.ts";
import type { Peer } from "../../src/wire/peer.ts";
import { PROXY_PROTOCOL, type ProxyProtocol, type ServiceTable } from "../../src/wire/proxy.ts";
import { Program } from "./program.ts";

const RUNTIME = fileURLToPath(new URL("../../dist/runtime/", import.meta.url));
const FIRST_FD = 3;
/** As often as the server calls. */
const PING_MS: Milliseconds = 1_000;

/** Teal's proxy as the keeper starts it, with one worker, and the server's connection to it. */
export class TealProxy {
  readonly program: Program;
  readonly url: string;
  readonly #peer: Peer<ProxyProtocol>;
  readonly #pings: NodeJS.Timeout;

  private constructor(program: Program, url: string, peer: Peer<ProxyProtocol>) {
    this.program = program;
    this.url = url;
    this.#peer = peer;
    this.#pings = setInterval(() => void peer.call("ping", {}).catch(() => undefined), PING_MS);
  }

  /** @param upstream `host:port` of the one instance; `/` is its health check */
  static async start(folder: string, upstream: string, cpu: number): Promise<TealProxy> {
    const main = join(RUNTIME, "proxy.mjs");
    if (!existsSync(main)) throw new Error(`${main} is not there; npm run bench builds it`);
    const paths = new StatePaths(join(folder, ".teal"));
    mkdirSync(paths.root, { recursive: true });
    const bound = bindSocket("127.0.0.1", 0);
    const address = `127.0.0.1:${String(bound.port)}`;
    // One worker, one in reserve, and the spare for a new keeper.
    const listener = { listen: address, address, fds: [FIRST_FD, FIRST_FD + 1], spare: FIRST_FD + 2 };
    const launch: ProxyLaunch = {
      root: paths.root,
      runtime: RUNTIME,
      config: join(folder, "teal.yaml"),
      workers: 1,
      listeners: [listener],
      settings: proxySettings.parse({}),
    };
    const program = await Program.start([process.execPath, ...NODE_FLAGS, main, JSON.stringify(launch)], {
      name: "teal",
      folder,
      cpu,
      fds: [bound.fd, bound.fd, bound.fd],
    });
    // Answered with 503 until there is a table: then it has a control socket.
    const url = `http://${address}`;
    const peer = await untilConnected(paths.proxySocket(program.pid));
    bound.close();
    await peer.call("apply", tableFor(upstream));
    await program.ready(url);
    return new TealProxy(program, url, peer);
  }

  async stop(): Promise<void> {
    clearInterval(this.#pings);
    this.#peer.close();
    await this.program.stop();
  }
}

async function untilConnected(path: string): Promise<Peer<ProxyProtocol>> {
  const deadline = AbortSignal.timeout(10_000);
  for (;;) {
    try {
      return await connectPeer(path, PROXY_PROTOCOL, { down: "data-plane-down" });
    } catch (thrown) {
      if (deadline.aborted) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

function tableFor(upstream: string): ServiceTable {
  return {
    service: "web",
    fence: 1,
    generation: 1,
    deployment: null,
    weights: { blue: 100 },
    backends: [{ environment: "blue", release: "v1", instances: [{ id: "web/blue/v1/0", address: upstream }] }],
    revertTo: null,
    traffic: {
      driver: "embedded",
      hosts: [],
      paths: ["/"],
      drainMs: 5_000,
      longLivedMs: 10_000,
      onControllerLoss: "revert",
    },
    health: {
      path: "/",
      status: 200,
      intervalMs: 1_000,
      timeoutMs: 2_000,
      healthyAfter: 1,
      unhealthyAfter: 5,
      deadlineMs: 10_000,
    },
  };
}
