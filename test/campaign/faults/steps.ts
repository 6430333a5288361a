/** A deploy's steps, as the quick settings of a campaign have them. */
export const STEPS = [
  "preflight",
  "provision",
  "start",
  "healthy",
  "validate",
  "shift-10",
  "shift-50",
  "shift-100",
  "bake",
] as const;
