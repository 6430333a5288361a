import { readFileSync } from "node:fs";
import { z } from "zod";
import { mergeSamples } from "../drivers/traffic/embedded/merge.ts";
import { type Report, toTealError } from "../model/error.ts";
import type { Clock, Milliseconds } from "../model/time.ts";
import type { TrafficSample } from "../model/traffic.ts";
import { replaceFile } from "../wire/durable-file.ts";
import { sample } from "../wire/shapes.ts";

/** A sample comes each 100 ms while a proxy lives: one that is older was its last. */
const FRESH_MS: Milliseconds = 10_000;
/** What is heard first within this is written at once: a new proxy tells of thousands of services at the same time. */
const SAVE_AFTER_MS: Milliseconds = 2_000;
/** Proxies of one service that are kept apart; the oldest beyond that are added up. */
const MOST_KEPT = 8;

const part = z.object({ switchesBefore: z.int(), sample });
const saved = z.object({ format: z.literal(1), parts: z.array(part) });

/** The newest sample of one proxy for one service, and the switches that had been counted when it was first heard. */
interface Part {
  readonly switchesBefore: number;
  readonly sample: TrafficSample;
}

export interface ProxyTotalsOptions {
  /** Where the counts of proxies that have ended are kept for the next server. */
  readonly file: string;
  readonly clock: Pick<Clock, "now" | "sleep">;
  readonly report: Report;
}

/**
 * What all proxies have counted since the state directory was made, each by its epoch: so a counter neither begins anew when
 * one proxy takes another's place, nor counts twice what both tell while one drains. Only what a proxy counted after the
 * last {@link save} is lost when it ends while no server is there.
 */
export class ProxyTotals {
  readonly #options: ProxyTotalsOptions;
  readonly #services = new Map<string, Map<string, Part>>();
  #isSaving = false;
  #saved: Promise<void> = Promise.resolve();

  constructor(options: ProxyTotalsOptions) {
    this.#options = options;
    for (const read of this.#read()) this.#partsOf(read.sample.service).set(read.sample.epoch, read);
  }

  add(newest: TrafficSample): void {
    const parts = this.#partsOf(newest.service);
    const known = parts.get(newest.epoch);
    const switchesBefore = known?.switchesBefore ?? switchesOf([...parts.values()]);
    parts.set(newest.epoch, { switchesBefore, sample: newest });
    if (known !== undefined) return;
    this.#fold(newest.service, parts);
    void this.#saveSoon();
  }

  /** One for each service that a proxy tells of at present. */
  samples(): readonly TrafficSample[] {
    return [...this.#services.values()].flatMap((parts) => this.#total([...parts.values()]) ?? []);
  }

  /** Called when the server ends, too. Never throws: a full disk costs a few counts. */
  save(): Promise<void> {
    this.#saved = this.#saved.then(() => this.#write());
    return this.#saved;
  }

  async #write(): Promise<void> {
    const { file, report } = this.#options;
    const parts = [...this.#services.values()].flatMap((one) => [...one.values()]);
    try {
      await replaceFile(file, JSON.stringify({ format: 1, parts }));
    } catch (thrown) {
      report(toTealError(thrown), { doing: "keeping the proxies' counts" });
    }
  }

  async #saveSoon(): Promise<void> {
    if (this.#isSaving) return;
    this.#isSaving = true;
    await this.#options.clock.sleep(SAVE_AFTER_MS);
    this.#isSaving = false;
    await this.save();
  }

  #total(parts: readonly Part[]): TrafficSample | null {
    const isLive = ({ sample: { at } }: Part): boolean => this.#options.clock.now() - at <= FRESH_MS;
    // The one that stays comes first: the mode is its.
    const live = parts.filter(isLive).toReversed();
    const ended = parts.filter((one) => !isLive(one));
    if (live.length === 0) return null;
    const total = mergeSamples([...live.map((one) => one.sample), ...ended.map((one) => atRest(one.sample))]);
    return { ...total, switches: switchesOf(parts) };
  }

  /** Keeps the file small, however often proxies come and go. */
  #fold(service: string, parts: Map<string, Part>): void {
    const surplus = [...parts.values()].slice(0, -MOST_KEPT);
    const [first, ...rest] = surplus;
    if (first === undefined || rest.length === 0) return;
    for (const { sample: old } of surplus) parts.delete(old.epoch);
    const sum = { ...mergeSamples(surplus.map((one) => atRest(one.sample))), epoch: "earlier", switches: 0 };
    const kept = [...parts];
    parts.clear();
    parts.set("earlier", { switchesBefore: switchesOf(surplus), sample: sum });
    for (const [epoch, one] of kept) parts.set(epoch, one);
    this.#services.set(service, parts);
  }

  #partsOf(service: string): Map<string, Part> {
    const parts = this.#services.get(service) ?? new Map<string, Part>();
    this.#services.set(service, parts);
    return parts;
  }

  #read(): readonly Part[] {
    const { file, report } = this.#options;
    try {
      return saved.parse(JSON.parse(readFileSync(file, "utf8"))).parts;
    } catch (thrown) {
      if (!(thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT"))
        report(toTealError(thrown), { doing: "reading the proxies' counts; they begin anew" });
      return [];
    }
  }
}

/** Each proxy makes every switch while it lives, so that theirs are not added up. */
function switchesOf(parts: readonly Part[]): number {
  return Math.max(0, ...parts.map(({ switchesBefore, sample: { switches } }) => switchesBefore + (switches ?? 0)));
}

/** Of a proxy that has ended nothing is in flight. */
function atRest(last: TrafficSample): TrafficSample {
  const environments = Object.entries(last.environments).map(([name, counters]) => [
    name,
    { ...counters, inFlight: 0 },
  ]);
  const { maintenance } = last;
  return {
    ...last,
    environments: Object.fromEntries(environments) as TrafficSample["environments"],
    ...(maintenance === undefined ? {} : { maintenance: { ...maintenance, waiting: 0 } }),
  };
}
