/** Why a deployment does not go on by itself at present, and what a person can do about it. */
export interface Hold {
  /**
   * approval: its gate. guardrail: a limit with `hold` is exceeded. drift: the live split is not the recorded one.
   * frozen: going back would be worse.
   */
  readonly kind: "approval" | "guardrail" | "drift" | "frozen";
  readonly message: string;
  /** The ways out, in words. */
  readonly remedy: string;
}

/** What becomes of a live split that Teal did not set: it becomes the record, or the record overwrites it. */
export const DRIFT_CHOICES = ["adopt", "overwrite"] as const;
export type DriftChoice = (typeof DRIFT_CHOICES)[number];
