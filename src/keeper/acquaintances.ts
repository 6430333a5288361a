import type { KeeperProtocol } from "../wire/keeper.ts";
import type { Peer } from "../wire/peer.ts";

/** The connections of those who have said which process they are, so that the keeper can ask them whether they are well. */
export class Acquaintances {
  readonly #peers = new Map<number, Peer<KeeperProtocol>>();

  present(pid: number, peer: Peer<KeeperProtocol>): void {
    this.#peers.set(pid, peer);
    void peer.closed.then(() => {
      if (this.#peers.get(pid) === peer) this.#peers.delete(pid);
    });
  }

  /** Null: it has not said so, or its connection has ended. */
  of(pid: number): Peer<KeeperProtocol> | null {
    return this.#peers.get(pid) ?? null;
  }
}
