/** One look of `teal doctor`. */
export interface Finding {
  /** What was looked at; stable, for scripts. */
  readonly check: string;
  readonly state: "ok" | "warning" | "problem";
  readonly message: string;
  /** What to do; null where nothing is to be done. */
  readonly remedy: string | null;
  /** With the check `journal`: its newest event, with the whole hash in hexadecimal, to be noted elsewhere. */
  readonly head?: { readonly seq: number; readonly hash: string };
}

export function ok(check: string, message: string): Finding {
  return { check, state: "ok", message, remedy: null };
}

export function warning(check: string, message: string, remedy: string): Finding {
  return { check, state: "warning", message, remedy };
}

export function problem(check: string, message: string, remedy: string): Finding {
  return { check, state: "problem", message, remedy };
}
