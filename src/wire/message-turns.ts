import { RAL } from "vscode-jsonrpc/node";

/** What all connections together may take of one turn of the event loop before timers and sockets have theirs. */
const SHARE_MS = 4;

let isCounting = false;
let until = 0;

/** Runs the task within this turn of the event loop while the share lasts, in the next one after that. */
function soon(task: () => void): void {
  const now = performance.now();
  if (!isCounting) {
    isCounting = true;
    until = now + SHARE_MS;
    setImmediate(() => {
      isCounting = false;
    });
  }
  if (now < until) process.nextTick(task);
  else setImmediate(task);
}

/**
 * Lets vscode-jsonrpc handle as many messages in a turn of the event loop as fit in a share of it. By itself it decodes one,
 * handles one and writes one of each connection in a turn: hundreds of calls at once would wait for hundreds of turns,
 * and where a turn takes milliseconds, for a second. Its runtime layer is the one place where it takes its turns.
 */
export function takeTurnsTogether(): void {
  const { timer, ...rest } = RAL();
  RAL.install({
    ...rest,
    timer: {
      ...timer,
      setImmediate: (callback, ...args: unknown[]) => {
        let isWanted = true;
        soon(() => {
          if (isWanted) callback(...args);
        });
        return { dispose: () => void (isWanted = false) };
      },
    },
  });
}
