import type { Side } from "../rivals/rival.ts";
import type { Summary } from "./ledger.ts";
import type { Load } from "./load-generator.ts";

export interface Exposed {
  readonly version: string;
  readonly abort: () => Promise<void>;
  /** Resolves when it is taken back whole. */
  readonly over: () => Promise<void>;
}

/** Two copies of examples/web-node behind one address, and a way to switch between them. */
export interface Switchboard extends AsyncDisposable {
  /** Where traffic comes in. */
  readonly url: string;
  /** What `x-version` says on each side. */
  readonly versions: Readonly<Record<Side, string>>;
  /** Where traffic goes at first. */
  readonly active: Side;
  switchTo(side: Side): Promise<void>;
  /** A new version that has half of the traffic, and the call that takes it back; null where there is nothing like it. */
  readonly expose: (() => Promise<Exposed>) | null;
  /** How long the data plane took for each switch, in ms; empty when it does not tell. */
  tookMs(): Promise<readonly number[]>;
  /** Stops the load and compares its ledger with the apps'. */
  settled(load: Load): Promise<Summary>;
}
