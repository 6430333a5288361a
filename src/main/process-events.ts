import type { KeeperProtocol } from "../wire/keeper.ts";
import type { Notice, Result } from "../wire/protocol.ts";

type ProxyRows = Notice<KeeperProtocol, "proxies">["proxies"];

/** Data of the event `process-replaced`. */
export interface ProcessReplaced {
  readonly process: "keeper" | "proxy" | "server";
  readonly pid: number;
  /** Process id of the one whose place it took. */
  readonly before: number;
  /** Version that it runs from, as in .teal/runtime. */
  readonly runtime: string | null;
  /**
   * ended: the one before had ended by itself or was killed; replaced: it was meant to go; hung: it had answered nothing,
   * and the keeper, or where it was the keeper the proxy, has ended it. Of servers only the last is told, as each start of one is an event of its own.
   */
  readonly cause: "ended" | "replaced" | "hung";
}

type Seen = Pick<Result<KeeperProtocol, "status">, "pid" | "runtime" | "afterHung" | "proxies" | "server">;

/** Notices, from what the keeper tells, when a keeper or a proxy has taken the place of another, or this server of a hung one. */
export class ProcessChanges {
  readonly #tell: (change: ProcessReplaced) => void;
  readonly #draining = new Set<number>();
  #keeper: { readonly pid: number; readonly runtime: string } | null = null;
  #serving: number | null = null;
  #isHungTold = false;

  constructor(tell: (change: ProcessReplaced) => void) {
    this.#tell = tell;
  }

  keeper({ pid, runtime, afterHung, proxies, server }: Seen): void {
    const before = this.#keeper;
    this.#keeper = { pid, runtime };
    if (before !== null && before.pid !== pid) {
      const cause = afterHung === before.pid ? "hung" : before.runtime === runtime ? "ended" : "replaced";
      this.#tell({ process: "keeper", pid, before: before.pid, runtime, cause });
    }
    this.proxies(proxies);
    this.#server(server);
  }

  #server({ pid, runtime, afterHung }: Seen["server"]): void {
    if (pid === null || typeof afterHung !== "number" || this.#isHungTold) return;
    this.#isHungTold = true;
    this.#tell({ process: "server", pid, before: afterHung, runtime: runtime ?? null, cause: "hung" });
  }

  proxies(rows: ProxyRows): void {
    for (const { pid, draining } of rows) if (draining) this.#draining.add(pid);
    const before = this.#serving;
    const isBeforeServing = rows.some(({ pid, draining }) => pid === before && !draining);
    const now = rows.findLast(({ draining }) => !draining);
    // While the next one comes up, both are there; which of them stays is known when the other drains or is gone.
    if (now === undefined || isBeforeServing) return;
    this.#serving = now.pid;
    if (before === null) return;
    const cause = this.#draining.has(before) ? "replaced" : "ended";
    this.#tell({ process: "proxy", pid: now.pid, before, runtime: now.runtime ?? null, cause });
  }
}
