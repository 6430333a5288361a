/** A deploy's steps, as the quick settings of a campaign have them; `retire` where the standby has an older release. */
export const STEPS = [
  "preflight",
  "retire",
  "provision",
  "start",
  "healthy",
  "validate",
  "shift-10",
  "shift-50",
  "shift-100",
  "bake",
] as const;
