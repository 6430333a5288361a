import { TealError } from "../model/error.ts";
import type { DeploymentState } from "../model/deployment.ts";
import type { TealClient } from "../sdk/client.ts";
import type { Call } from "./call.ts";
import { conclusion } from "./conclusion.ts";
import { EventFeed } from "./feed.ts";
import { followDeployment } from "./follow.ts";
import type { StopSignal } from "./io.ts";
import { exitOf } from "./outcome.ts";
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
  const stop = new AbortController();
  let stoppedBy: StopSignal | null = null;
  let id: string | null = null;
  const release = call.io.onStop((signal) => {
    stoppedBy = signal;
    stop.abort(new TealError("aborted", `${signal} came`));
  });
  const { signal } = stop;
  try {
    const feed = new EventFeed(client, signal);
    await feed.opened;
    ({ id } = await run.start(signal));
    const progress = await progressFor(call);
    try {
      const following = { client, id, clock: call.io.clock, signal };
      const deployment = await followDeployment(feed, following, (update) => {
        progress.update(update);
      });
      progress.update({ kind: "snapshot", deployment });
      progress.end();
      if (call.json) call.document(deployment);
      const { terminal } = call.io.stdout;
      const asked = run.wanted?.includes(deployment.state) === true;
      const shown = { columns: terminal ? call.columns : Infinity, withReceipts: terminal, asked };
      for (const line of conclusion(deployment, call.style, shown)) call.say(line);
      return asked ? 0 : exitOf(deployment);
    } catch (thrown) {
      progress.end();
      throw thrown;
    }
  } catch (thrown) {
    if (stoppedBy === null) throw thrown;
    return detached(call, id, stoppedBy);
  } finally {
    release();
    stop.abort();
  }
}

async function startOnly(call: Call, client: TealClient, run: DeploymentRun): Promise<number> {
  const { id } = await run.start(new AbortController().signal);
  const deployment = await client.deployment(id);
  if (call.json) call.document(deployment);
  call.say(
    `${deployment.goal} ${id} is ${deployment.state}. \`teal status\` shows it, \`teal events --follow\` follows it.`,
  );
  return run.wanted?.includes(deployment.state) === true ? 0 : exitOf(deployment);
}

async function progressFor(call: Call): Promise<Progress> {
  if (call.json) return (await import("./progress/progress.ts")).SILENT;
  if (!call.io.stdout.terminal) return new (await import("./progress/plain.ts")).PlainProgress(call.io.stdout);
  return new (await import("./progress/live.ts")).LiveProgress(call.io, call.style);
}

/** The deployment belongs to the server: who follows it may go. SIGTERM is no person's choice, so it is not exit 0. */
function detached(call: Call, id: string | null, signal: StopSignal): number {
  const lines =
    id === null
      ? ["Left before the server had answered; `teal status` shows whether it was accepted."]
      : [`Left; ${id} goes on.`, "To come back: `teal status`, `teal events --follow`. To take it back: `teal abort`."];
  for (const line of lines) call.note(line);
  return signal === "SIGINT" ? 0 : 143;
}
