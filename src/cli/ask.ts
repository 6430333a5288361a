import type { Call } from "./call.ts";

/** Asks yes or no on the terminal; an interrupted question is a no. */
export async function confirmed(message: string): Promise<boolean> {
  const { confirm, isCancel } = await import("@clack/prompts");
  const answer = await confirm({ message, initialValue: true });
  return !isCancel(answer) && answer;
}

/** Exit code when a person said no. */
export function declined(call: Call): number {
  call.note("Nothing was changed.");
  return 4;
}
