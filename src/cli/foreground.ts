import { TealError } from "../model/error.ts";
import type { Call } from "./call.ts";
import type { StopSignal } from "./io.ts";
import { stopTimes } from "./stop-times.ts";
import { EventRows } from "./words/event-row.ts";

/**
 * What `teal up` does after it is up: prints events until Teal has ended or a person wants it to. Returns the exit code.
 */
export async function foreground(call: Call, config: string): Promise<number> {
  const seen: Seen = { after: undefined };
  for (;;) {
    const stoppedBy = await watch(call, config, seen);
    if (stoppedBy === "died") {
      call.note("Teal has died, and nothing has started it again. `teal up` brings back what is on record.");
      return 1;
    }
    if (stoppedBy === null) {
      call.note("Teal was stopped.");
      return 0;
    }
    // The terminal has echoed ^C.
    if (call.asks) call.say();
    const wish = stoppedBy === "SIGINT" && call.asks ? await askWish() : "stop";
    if (wish === "watch") continue;
    if (wish === "leave") {
      call.say("Teal goes on. `teal status` shows it, `teal down` stops it.");
      return 0;
    }
    return stopAll(call, config, stoppedBy);
  }
}

/** The last event that was printed, so that none is left out while a question stands. */
interface Seen {
  after: number | undefined;
}

/** Prints events; the signal that came, `died` when Teal has ended by itself, or null when it was stopped. */
async function watch(call: Call, config: string, seen: Seen): Promise<StopSignal | "died" | null> {
  const stop = new AbortController();
  let stoppedBy: StopSignal | "died" | null = null;
  const release = call.io.onStop((signal) => {
    stoppedBy = signal;
    stop.abort(new TealError("aborted", `${signal} came`));
  });
  const rows = new EventRows(call.style);
  const ended = call.parts.ended(config, stop.signal).then(
    (how) => {
      if (how === "died") stoppedBy ??= how;
      stop.abort(new TealError("server-down", "Teal has ended"));
    },
    (thrown: unknown) => {
      // Its end was not waited for: somebody stopped watching.
      if (!stop.signal.aborted) stop.abort(thrown);
    },
  );
  try {
    const client = await call.parts.client(config);
    // As long as the keeper lives the server comes back: its absence is never the end.
    const { after } = seen;
    const options = {
      follow: true,
      signal: stop.signal,
      patienceMs: Infinity,
      ...(after === undefined ? {} : { after }),
    };
    for await (const event of client.events(options)) {
      seen.after = event.seq;
      if (call.json) call.record(event);
      else call.say(rows.row(event));
    }
    await ended;
  } catch (thrown) {
    if (!stop.signal.aborted) throw thrown;
  } finally {
    release();
    stop.abort();
    await ended;
  }
  return stoppedBy;
}

async function askWish(): Promise<"stop" | "leave" | "watch"> {
  const { isCancel, select } = await import("@clack/prompts");
  const answer = await select({
    message: "Stop Teal and every app that it runs?",
    options: [
      { value: "stop" as const, label: "Stop", hint: "requests in flight may end first" },
      { value: "leave" as const, label: "Leave it running", hint: "as with --detach" },
      { value: "watch" as const, label: "Go on watching" },
    ],
  });
  // A second Ctrl-C means it.
  return isCancel(answer) ? "stop" : answer;
}

/** After SIGTERM as long as teal.yaml allows: who sent it has set how long it may take. */
async function stopAll(call: Call, config: string, stoppedBy: StopSignal): Promise<number> {
  const stop = new AbortController();
  const release = call.io.onStop(() => {
    stop.abort(new TealError("aborted", "not waited for"));
  });
  try {
    call.say("Stopping …");
    await call.parts.down({
      config,
      ...(await stopTimes(call, config, stoppedBy === "SIGTERM" ? "supervisor" : "person")),
      signal: stop.signal,
      say: (line) => {
        call.say(line);
      },
    });
    call.say("Stopped.");
  } catch (thrown) {
    if (!stop.signal.aborted) throw thrown;
    call.note("Left; Teal goes on stopping by itself.");
  } finally {
    release();
  }
  return 0;
}
