import type { Variables } from "./resolve.ts";
import type { SourceState } from "./source-state.ts";

/** Names of the drivers that there are, from the registry; the first of each is the default. */
export interface KnownDrivers {
  readonly environmentDrivers: readonly string[];
  readonly trafficDrivers: readonly string[];
}

/** What decoding a file needs beside its text. */
export interface Loading extends KnownDrivers {
  /** What relative paths start at; absolute. */
  readonly directory: string;
  readonly variables: Variables;
  /** Gathers every X of `${env:X}`. */
  readonly references: Set<string>;
  /** Gathers what was read. */
  readonly sources: SourceState;
}
