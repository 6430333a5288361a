import type { Store } from "./store.ts";
import { type StoreCall, storeThrough } from "./sync.ts";

/**
 * The same store, `most` calls at a time, the others in their order: when hundreds of deployments take their next step in
 * the same instant, whoever asks the store past this queue waits for a few of them and not for all.
 */
export function queuedStore(store: Store, most: number): Store {
  const waiting: (() => void)[] = [];
  let running = 0;
  const turn = async (): Promise<void> => {
    running += 1;
    if (running <= most) return;
    await new Promise<void>((go) => waiting.push(go));
  };
  const call = async (method: keyof Store, values: readonly unknown[]): Promise<unknown> => {
    await turn();
    try {
      return await (Reflect.apply(store[method], store, values) as Promise<unknown>);
    } finally {
      running -= 1;
      waiting.shift()?.();
    }
  };
  return storeThrough(call as StoreCall);
}
