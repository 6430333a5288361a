import { TealError, toTealError } from "../model/error.ts";
import type { DeploymentState } from "../model/deployment.ts";
import type { DeploymentAnswer, TealClient } from "../sdk/client.ts";
import { askApproval } from "./ask.ts";
import type { Call } from "./call.ts";
import { conclusion } from "./conclusion.ts";
import { EventFeed } from "./feed.ts";
import { followDeployment } from "./follow.ts";
import { ApprovalGate } from "./gate.ts";
import type { StopSignal } from "./io.ts";
import { exitOf, isSettled } from "./outcome.ts";
import type { Progress } from "./progress/progress.ts";

export interface DeploymentRun {
  /** Asks the server for it; the events that follow from it are all seen. */
  readonly start: (signal: AbortSignal) => Promise<{ readonly id: string }>;
  /** States that are what the person asked for, so that the exit code is 0; `completed` unless told. */
  readonly wanted?: readonly DeploymentState[];
  /** Follow it to its end. */
  readonly wait: boolean;
}

/** Starts a deployment, shows it until it has settled, and returns the exit code. Ctrl-C leaves it going. */
export async function runDeployment(call: Call, client: TealClient, run: DeploymentRun): Promise<number> {
  if (!run.wait) return startOnly(call, client, run);
  return attached(call, async (watch) => {
    const { signal } = watch;
    const feed = new EventFeed(client, signal);
    await feed.opened;
    const { id } = await run.start(signal);
    watch.id = id;
    const progress = await shownProgress(call, client, watch);
    try {
      const following = { client, id, clock: call.io.clock, signal };
      const deployment = await followDeployment(feed, following, (update) => {
        progress.update(update);
      });
      progress.update({ kind: "snapshot", deployment });
      progress.end();
      return concluded(call, deployment, run);
    } catch (thrown) {
      progress.end();
      throw thrown;
    }
  });
}

function concluded(call: Call, deployment: DeploymentAnswer, run: DeploymentRun): number {
  if (call.json) call.document(deployment);
  const { terminal } = call.io.stdout;
  const asked = run.wanted?.includes(deployment.state) === true;
  const shown = { columns: terminal ? call.columns : Infinity, withReceipts: terminal, asked };
  for (const line of conclusion(deployment, call.style, shown)) call.say(line);
  return asked ? 0 : exitOf(deployment);
}

/** Returns at once; with a gate ahead, when it has come to it: a pipeline then asks its people. */
async function startOnly(call: Call, client: TealClient, run: DeploymentRun): Promise<number> {
  return attached(call, async (watch) => {
    const { signal } = watch;
    const { id } = await run.start(signal);
    watch.id = id;
    const first = await client.deployment(id);
    const deployment = isBeforeGate(first) ? await untilGate(call, client, watch) : first;
    if (call.json) call.document(deployment);
    const { goal, state } = deployment;
    call.say(
      state === "waiting"
        ? `${goal} ${id} waits for an approval: \`teal approve\` lets it go on, \`teal abort\` rejects it.`
        : `${goal} ${id} is ${state}. \`teal status\` shows it, \`teal events --follow\` follows it.`,
    );
    return run.wanted?.includes(state) === true ? 0 : exitOf(deployment);
  });
}

function isBeforeGate({ state, steps }: DeploymentAnswer): boolean {
  if (state !== "planned" && state !== "running") return false;
  return steps.some((step) => step.uses.startsWith("approval@") && step.state !== "done");
}

async function untilGate(call: Call, client: TealClient, { id, signal }: Watch): Promise<DeploymentAnswer> {
  const feed = new EventFeed(client, signal);
  await feed.opened;
  const until = (state: DeploymentState): boolean => state === "waiting" || state === "baking" || isSettled(state);
  return followDeployment(feed, { client, id: id ?? "", clock: call.io.clock, signal, until }, () => undefined);
}

/** One look at a deployment from the terminal: `leave` ends it, and the deployment goes on. */
interface Watch {
  /** Known once the server has answered. */
  id: string | null;
  readonly signal: AbortSignal;
  leave(exit: number): void;
}

/** Runs `task` until it is done, or a person goes away. */
async function attached(call: Call, task: (watch: Watch) => Promise<number>): Promise<number> {
  const stop = new AbortController();
  let exit: number | null = null;
  const leave = (code: number): void => {
    exit ??= code;
    stop.abort(new TealError("aborted", "left"));
  };
  // SIGTERM is no person's choice, so it is not exit 0.
  const release = call.io.onStop((signal: StopSignal) => {
    leave(signal === "SIGINT" ? 0 : 143);
  });
  const watch: Watch = { id: null, signal: stop.signal, leave };
  try {
    return await task(watch);
  } catch (thrown) {
    if (exit === null) throw thrown;
    sayLeft(call, watch.id);
    return exit;
  } finally {
    release();
    stop.abort();
  }
}

/** The deployment belongs to the server: who follows it may go. */
function sayLeft(call: Call, id: string | null): void {
  const lines =
    id === null
      ? ["Left before the server had answered; `teal status` shows whether it was accepted."]
      : [`Left; ${id} goes on.`, "To come back: `teal status`, `teal events --follow`. To take it back: `teal abort`."];
  for (const line of lines) call.note(line);
}

async function shownProgress(call: Call, client: TealClient, watch: Watch): Promise<Progress> {
  const first = await progressFor(call);
  if (!call.asks) return first;
  const { signal } = watch;
  const id = watch.id ?? "";
  return new ApprovalGate(first, {
    progress: () => progressFor(call),
    ask: (answered) => askApproval(`Approve ${id}?`, AbortSignal.any([signal, answered])),
    look: () => client.deployment(id, { signal }),
    act: async (answer) => {
      if (answer === "approve") await client.approve(id, {}, { signal });
      if (answer === "reject") await client.abort(id, { reason: "rejected at the terminal" }, { signal });
      if (answer === "leave") watch.leave(WAITING);
    },
    failed: (thrown) => {
      if (!signal.aborted) call.note(toTealError(thrown).message);
    },
  });
}

/** CONTRACTS, "CLI": waiting for an approval. */
const WAITING = 5;

async function progressFor(call: Call): Promise<Progress> {
  if (call.json) return (await import("./progress/progress.ts")).SILENT;
  if (!call.io.stdout.terminal) return new (await import("./progress/plain.ts")).PlainProgress(call.io.stdout);
  return new (await import("./progress/live.ts")).LiveProgress(call.io, call.style);
}
