/** Methods that answer at once, and change nothing outside. */
const AT_ONCE: ReadonlySet<string> = new Set(["watch", "notices", "cautions", "logs", "told"]);

/** The life of one process: it can end between any two of its calls to the world outside, as by `kill -9`. */
export class Life {
  #left = Number.POSITIVE_INFINITY;
  /** Whether the last call still has its effect; its answer is lost in any case. */
  #hasEffect = false;
  isOver = false;

  /** Ends at the call after so many more. */
  endAfter(calls: number, hasEffect: boolean): void {
    this.#left = calls;
    this.#hasEffect = hasEffect;
  }

  end(): void {
    this.isOver = true;
  }

  /** The same part of the world, for as long as this life lasts: after that nothing is done and nothing answers. */
  through<T extends object>(part: T): T {
    return new Proxy(part, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        const method = value as (...given: readonly unknown[]) => unknown;
        if (AT_ONCE.has(String(name))) return method.bind(target);
        return (...given: readonly unknown[]) => this.#call(() => method.apply(target, [...given]));
      },
    });
  }

  #call(act: () => unknown): unknown {
    if (!this.isOver && this.#left-- > 0) return act();
    const isLast = !this.isOver;
    this.isOver = true;
    if (isLast && this.#hasEffect) void Promise.resolve(act()).catch(() => undefined);
    return new Promise(() => undefined);
  }
}
