import type { Call } from "./call.ts";
import type { GateAnswer } from "./gate.ts";

/** Asks yes or no on the terminal; an interrupted question is a no. */
export async function confirmed(message: string): Promise<boolean> {
  const { confirm, isCancel } = await import("@clack/prompts");
  const answer = await confirm({ message, initialValue: true });
  return !isCancel(answer) && answer;
}

/** Asks what is to become of a deployment that waits for an approval; an interrupted question leaves it waiting. */
export async function askApproval(message: string, signal: AbortSignal): Promise<GateAnswer> {
  const { isCancel, select } = await import("@clack/prompts");
  const answer = await select({
    message,
    signal,
    options: [
      { value: "approve" as const, label: "Approve", hint: "it gets its first traffic" },
      { value: "reject" as const, label: "Reject", hint: "take back what was started" },
      { value: "leave" as const, label: "Leave it waiting", hint: "`teal approve` later" },
    ],
  });
  return isCancel(answer) ? "leave" : answer;
}

/** Exit code when a person said no. */
export function declined(call: Call): number {
  call.note("Nothing was changed.");
  return 4;
}
