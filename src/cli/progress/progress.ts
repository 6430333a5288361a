import type { Update } from "../follow.ts";

/** Shows how a deployment goes on. */
export interface Progress {
  update(update: Update): void;
  /** Leaves the last picture, and gives the terminal back. */
  end(): void;
}

/** Shows nothing: for `--json`. */
export const SILENT: Progress = {
  update: () => undefined,
  end: () => undefined,
};
