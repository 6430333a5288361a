/** Runs what comes under one key one after the other, in order; different keys run side by side. */
export class Lanes {
  readonly #last = new Map<string, Promise<void>>();

  /** Rejects as `work` does; the next in the lane runs even so. */
  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const result = before.then(work);
    const done = result.then(
      () => undefined,
      () => undefined,
    );
    this.#last.set(key, done);
    void done.then(() => {
      if (this.#last.get(key) === done) this.#last.delete(key);
    });
    return result;
  }
}
