/** Runs the tasks of one key one after another; a failed task does not stop the next. */
export class KeyedMutex {
  readonly #tails = new Map<string, Promise<unknown>>();

  /** Lets the next task of `key` go ahead of one that does not end: its effects must be refused in another way, by a fence. */
  evict(key: string): void {
    this.#tails.delete(key);
  }

  async run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key) ?? Promise.resolve();
    const mine = before.then(task, task);
    // The stored tail never rejects: its outcome belongs to the caller of `mine`.
    const tail = mine.then(
      () => undefined,
      () => undefined,
    );
    this.#tails.set(key, tail);
    try {
      return await mine;
    } finally {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    }
  }
}
