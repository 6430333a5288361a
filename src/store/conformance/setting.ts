import { NOW, sampleAcceptance } from "../samples.ts";
import type { Store, Transition } from "../store.ts";

/** The store under test as it is now. */
export type Get = () => Store;
/** Opens it again on the same record, as after a restart. */
export type Reopen = () => Promise<void>;

export function change(over: Partial<Transition>): Transition {
  return { service: "web", fence: 1, at: NOW + 1, events: [], ...over };
}

/** Fence 1, deployment dep_1 accepted. */
export async function begun(store: Store): Promise<void> {
  await store.claim("web", 0);
  await store.accept(sampleAcceptance("dep_1"));
}
