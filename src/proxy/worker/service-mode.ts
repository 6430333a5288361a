import type { MaintenanceOrder } from "../../model/maintenance.ts";
import type { Milliseconds } from "../../model/time.ts";
import { add, MODE_COUNTER } from "../cells.ts";
import type { RequestFacts } from "../http/engine.ts";
import { Networks } from "../http/networks.ts";
import { REFUSAL, type Refusal } from "../http/refusal.ts";
import type { PublishedMode } from "../messages.ts";
import { BUILT_IN_PAGE } from "./built-in-page.ts";
import { prefersJson } from "./prefers-json.ts";

/** How one request stands to maintenance. */
export interface Standing {
  /** Its client is on the list of those that get the app all the same. */
  readonly passes: boolean;
  readonly wantsJson: boolean;
}

/** Of a request that came while there was none. */
export const NO_STANDING: Standing = { passes: false, wantsJson: false };

/** Maintenance of one service as one worker does it: who passes, and the answers, made once. */
export class ServiceMode {
  readonly kind: "on" | "hold";
  /** Longest that a request waits in a hold. */
  readonly deadlineMs: Milliseconds;
  /** Most requests that wait at a time, over all workers. */
  readonly most: number;
  /** To a request whose time in the hold is over. */
  readonly late: Refusal;
  /** To a request that the hold has no room for. */
  readonly full: Refusal;
  readonly #counters: Float64Array;
  readonly #allow: Networks | null;
  readonly #page: Refusal;
  readonly #problem: Refusal;

  constructor({ mode, order, counters }: PublishedMode, index: number) {
    const retryAfterS = Math.max(1, Math.ceil(order.retryAfterMs / 1_000));
    this.kind = mode;
    this.deadlineMs = order.deadlineMs;
    this.most = order.most;
    this.late = { ...REFUSAL["hold-timeout"], retryAfterS };
    this.full = { ...REFUSAL["hold-full"], retryAfterS };
    this.#counters = counters.subarray(index * MODE_COUNTER.length, (index + 1) * MODE_COUNTER.length);
    this.#allow = order.allow.length === 0 ? null : new Networks(order.allow);
    this.#page = pageOf(order, retryAfterS);
    this.#problem = problemOf(order, retryAfterS);
  }

  /** Call it while the request's head is there. */
  standingOf(facts: RequestFacts): Standing {
    return { passes: this.#allows(facts.client?.()), wantsJson: prefersJson(facts.field?.("accept")) };
  }

  /** Teal's answer while it is on; counted. */
  answerTo({ wantsJson }: Standing): Refusal {
    this.count("answered");
    return wantsJson ? this.#problem : this.#page;
  }

  count(what: Exclude<keyof typeof MODE_COUNTER, "length">): void {
    add(this.#counters, MODE_COUNTER[what]);
  }

  #allows(address: string | undefined): boolean {
    return this.#allow !== null && address !== undefined && this.#allow.has(address);
  }
}

function pageOf({ page, status }: MaintenanceOrder, retryAfterS: number): Refusal {
  const { type, base64 } = page ?? BUILT_IN_PAGE;
  const body = Buffer.from(base64, "base64").toString("latin1");
  return { ...REFUSAL.maintenance, status, type, body, retryAfterS };
}

/** RFC 9457. */
function problemOf({ status }: MaintenanceOrder, retryAfterS: number): Refusal {
  const problem = {
    type: "urn:teal:error:maintenance",
    title: "The service is under maintenance",
    status,
    detail: `Try again in ${String(retryAfterS)} seconds.`,
    code: "maintenance",
  };
  const body = `${JSON.stringify(problem)}\n`;
  return { ...REFUSAL.maintenance, status, type: "application/problem+json", body, retryAfterS };
}
