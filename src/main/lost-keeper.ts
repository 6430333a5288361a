import { type Report, TealError, toTealError } from "../model/error.ts";
import type { Clock, Milliseconds } from "../model/time.ts";
import type { KeeperStarter } from "../wire/keeper-starter.ts";

const LOOK_EVERY_MS: Milliseconds = 250;
/** A keeper that is replaced, or started by the proxy or a person, mostly answers within this time. */
const LOST_MS: Milliseconds = 1_500;
/** To look at every process of the machine takes some milliseconds. */
const ASK_AGAIN_MS: Milliseconds = 1_000;
const FIRST_PAUSE_MS: Milliseconds = 1_000;
const LONGEST_PAUSE_MS: Milliseconds = 30_000;

export interface LostKeeperOptions {
  readonly starter: Pick<KeeperStarter, "start" | "answered" | "ended">;
  /** Whether there is a connection to a keeper now. */
  readonly isConnected: () => boolean;
  /** Whether nobody but this server would start a keeper, and one is wanted; asked only while there is no connection. */
  readonly isLeftAlone: (signal: AbortSignal) => Promise<boolean>;
  /** The keeper that this server has ended last as it hung. */
  readonly hung: () => number | null;
  readonly clock: Clock;
  readonly log: (message: string) => void;
  readonly report: Report;
}

/**
 * Starts a keeper when keeper and proxy have died at the same time, and the server is all that is left. While a proxy lives
 * that is the proxy's to do, as it has the sockets. Who starts one at the same moment does no harm: the keeper's lock decides.
 */
export class LostKeeper {
  readonly #options: LostKeeperOptions;
  #lostAt: Milliseconds | null = null;
  #lookAt: Milliseconds = 0;
  #pauseMs = FIRST_PAUSE_MS;
  /** Started here last. */
  #started: number | null = null;

  constructor(options: LostKeeperOptions) {
    this.#options = options;
  }

  /** Until the signal aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, report } = this.#options;
    for (;;) {
      await clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
      if (signal.aborted) return;
      try {
        if (this.#isDue()) await this.#startWhenLeftAlone(signal);
      } catch (thrown) {
        if (!signal.aborted) report(toTealError(thrown), { doing: "starting a keeper" });
      }
    }
  }

  #isDue(): boolean {
    const { isConnected, clock, starter } = this.#options;
    const now = clock.monotonic();
    if (isConnected()) {
      this.#lostAt = null;
      this.#lookAt = 0;
      this.#pauseMs = FIRST_PAUSE_MS;
      // Or another one, which had the lock first.
      if (this.#started !== null) starter.answered(this.#started);
      return false;
    }
    this.#lostAt ??= now;
    return now - this.#lostAt >= LOST_MS && now >= this.#lookAt;
  }

  async #startWhenLeftAlone(signal: AbortSignal): Promise<void> {
    const { isLeftAlone, isConnected, starter, hung, clock, log, report } = this.#options;
    this.#lookAt = clock.monotonic() + ASK_AGAIN_MS;
    if (!(await isLeftAlone(signal)) || signal.aborted || isConnected()) return;
    // Before the start, as that may fail, and must not be tried without a pause.
    this.#lookAt = clock.monotonic() + this.#pauseMs;
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
    if (this.#started !== null) await this.#tellOfEnd(this.#started, report);
    if (signal.aborted) return;
    this.#started = starter.start(hung());
    if (this.#started !== null)
      log(
        `keeper and proxy are gone, and nobody else is left to start a keeper: one is started, process ${String(this.#started)}`,
      );
  }

  /** Of one that has answered the log says more than could be said here. */
  async #tellOfEnd(pid: number, report: LostKeeperOptions["report"]): Promise<void> {
    await this.#options.starter.ended(pid, false);
    this.#started = null;
    const again = `; the next start is in ${String(this.#pauseMs / 1_000)} s, should this one fail as well`;
    report(new TealError("keeper-down", `the keeper (process ${String(pid)}) has ended; keeper.log says why${again}`), {
      doing: "starting a keeper",
    });
  }
}
