import type { Verb } from "./verb.ts";

/** Every verb, in the order of the help. Loaded one at a time, as `teal status` has 200 ms in all. */
export const VERBS = {
  up: async (): Promise<Verb> => (await import("./verbs/up.ts")).up,
  down: async (): Promise<Verb> => (await import("./verbs/down.ts")).down,
  check: async (): Promise<Verb> => (await import("./verbs/check.ts")).check,
  systemd: async (): Promise<Verb> => (await import("./verbs/systemd.ts")).systemd,
  doctor: async (): Promise<Verb> => (await import("./verbs/doctor.ts")).doctor,
  plan: async (): Promise<Verb> => (await import("./verbs/plan.ts")).plan,
  simulate: async (): Promise<Verb> => (await import("./verbs/simulate.ts")).simulate,
  deploy: async (): Promise<Verb> => (await import("./verbs/deploy.ts")).deploy,
  switch: async (): Promise<Verb> => (await import("./verbs/switch.ts")).switchTo,
  rollback: async (): Promise<Verb> => (await import("./verbs/rollback.ts")).rollback,
  abort: async (): Promise<Verb> => (await import("./verbs/abort.ts")).abort,
  approve: async (): Promise<Verb> => (await import("./verbs/approve.ts")).approve,
  maintenance: async (): Promise<Verb> => (await import("./verbs/maintenance.ts")).maintenance,
  resume: async (): Promise<Verb> => (await import("./verbs/resume.ts")).resume,
  traffic: async (): Promise<Verb> => (await import("./verbs/traffic.ts")).traffic,
  status: async (): Promise<Verb> => (await import("./verbs/status.ts")).status,
  "env list": async (): Promise<Verb> => (await import("./verbs/env-list.ts")).envList,
  "env start": async (): Promise<Verb> => (await import("./verbs/env-start.ts")).envStart,
  "env stop": async (): Promise<Verb> => (await import("./verbs/env-stop.ts")).envStop,
  "env scale": async (): Promise<Verb> => (await import("./verbs/env-scale.ts")).envScale,
  "env retire": async (): Promise<Verb> => (await import("./verbs/env-retire.ts")).envRetire,
  "token create": async (): Promise<Verb> => (await import("./verbs/token-create.ts")).tokenCreate,
  "token list": async (): Promise<Verb> => (await import("./verbs/token-list.ts")).tokenList,
  "token revoke": async (): Promise<Verb> => (await import("./verbs/token-revoke.ts")).tokenRevoke,
  history: async (): Promise<Verb> => (await import("./verbs/history.ts")).history,
  report: async (): Promise<Verb> => (await import("./verbs/report.ts")).report,
  events: async (): Promise<Verb> => (await import("./verbs/events.ts")).events,
  logs: async (): Promise<Verb> => (await import("./verbs/logs.ts")).logs,
} as const satisfies Record<string, () => Promise<Verb>>;

export type VerbName = keyof typeof VERBS;

const NAMES = Object.keys(VERBS) as VerbName[];

/** The verb that an argument list calls, or null when it calls none of ours (or asks for the list). */
export function verbOf(argv: readonly string[]): VerbName | null {
  return NAMES.find((name) => name.split(" ").every((word, index) => argv[index] === word)) ?? null;
}

export async function allVerbs(): Promise<readonly Verb[]> {
  return Promise.all(NAMES.map((name) => VERBS[name]()));
}
