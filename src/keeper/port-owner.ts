import { familyOf } from "./family.ts";
import { holderOf, inodesHeld, type ListeningSockets } from "./listeners.ts";
import { describeProcess } from "./procfs.ts";

/** nobody: nothing listens. own: all that listens belongs to the instance. stranger: something else does. */
export type PortOwner =
  { readonly kind: "nobody" } | { readonly kind: "own" } | { readonly kind: "stranger"; readonly who: string };

/** Whose socket answers on the port of 127.0.0.1, seen from the instance whose first process is `leader`. */
export function portOwner(sockets: ListeningSockets, port: number, leader: number): PortOwner {
  const inodes = sockets.inodesOn(port);
  if (inodes.size === 0) return { kind: "nobody" };
  const foreign = new Set(inodes);
  const without = (pid: number): boolean => {
    for (const inode of inodesHeld(pid, foreign)) foreign.delete(inode);
    return foreign.size === 0;
  };
  // Nearly always the first process listens itself: all of /proc need not be read then.
  if (without(leader)) return { kind: "own" };
  for (const pid of familyOf(leader)) if (without(pid)) return { kind: "own" };
  const holder = holderOf(foreign);
  return { kind: "stranger", who: holder === null ? "a process of another user" : describeProcess(holder) };
}
