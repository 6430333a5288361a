import { TealError } from "../model/error.ts";
import type { Clock, Milliseconds } from "../model/time.ts";

/** Whether the task was done within the time; it goes on in any case. @throws what the task throws meanwhile */
export async function isDoneWithin(task: Promise<unknown>, ms: Milliseconds, clock: Clock): Promise<boolean> {
  const over = new AbortController();
  const late = clock.sleep(ms, over.signal).then(
    () => false,
    () => false,
  );
  try {
    return await Promise.race([task.then(() => true), late]);
  } finally {
    over.abort(new TealError("aborted", "it was done in time"));
  }
}
