import type { Milliseconds } from "../../model/time.ts";

/** Colours of lines; each has one for light and one for dark. */
export type Tone = "blue" | "green" | "bad" | "strong" | "muted";

export interface Line {
  readonly label: string;
  readonly tone: Tone;
  readonly dashed?: boolean;
  /** A step stays at its value until the next point. */
  readonly step?: boolean;
  /** Fills down to zero. */
  readonly filled?: boolean;
  /** A value that is not known breaks the line. */
  readonly points: readonly (readonly [at: Milliseconds, value: number | null])[];
}

export interface Panel {
  /** What is shown, with its unit. */
  readonly title: string;
  readonly lines: readonly Line[];
  /** The axis goes at least so far up. */
  readonly least: number;
  /** The axis goes no farther; absent: as far as the lines do. */
  readonly most?: number;
  readonly tick: (value: number) => string;
  /** A limit across the whole panel. */
  readonly level?: { readonly at: number; readonly label: string };
}

/** Panels above each other, over the same time. */
export interface Figure {
  /** For who cannot see it. */
  readonly title: string;
  readonly description: string;
  readonly panels: readonly Panel[];
  readonly fromMs: Milliseconds;
  readonly toMs: Milliseconds;
  /** What the time is counted from: `the first traffic`. */
  readonly since: string;
  /** What it cannot show, or not exactly. */
  readonly notes?: readonly string[];
  /** Moments that matter, across all panels. */
  readonly marks: readonly { readonly at: Milliseconds; readonly label: string; readonly tone: Tone }[];
}
