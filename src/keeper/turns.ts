/**
 * Lets through one caller in each turn of the event loop, in their order: what takes some milliseconds and cannot be
 * divided, such as starting a process, then leaves the time in between to everything else.
 */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  take(): Promise<void> {
    this.#last = this.#last.then(
      () =>
        new Promise((resolve) => {
          setImmediate(resolve);
        }),
    );
    return this.#last;
  }
}
