import type { AccessEntry } from "../access-entry.ts";
import type { RequestFacts } from "../engine.ts";
import { clientAddress } from "./message/client-address.ts";
import { fieldValue } from "./message/field.ts";
import type { ForwardingRules, Peer, RequestHead } from "./message/types.ts";

/** What the data plane's rules may ask of a request; one object per connection, as it is read at once. */
export class Facts implements RequestFacts {
  host = "";
  target = "";
  access: AccessEntry | null = null;
  readonly isAbandoned: () => boolean;
  readonly field: (name: string) => string | undefined;
  readonly client: () => string;
  #head: RequestHead | null = null;

  constructor(peer: Peer, rules: ForwardingRules, isAbandoned: () => boolean) {
    this.isAbandoned = isAbandoned;
    this.field = (name) => this.#field(name);
    this.client = () => (this.#head === null ? peer.address : clientAddress(this.#head, peer, rules));
  }

  /** The facts of this head, until `forget`. */
  of(head: RequestHead): this {
    this.host = head.host;
    this.target = head.target;
    this.#head = head;
    return this;
  }

  /** The head's bytes are gone by then. */
  forget(): void {
    this.#head = null;
  }

  #field(name: string): string | undefined {
    return this.#head === null ? undefined : (fieldValue(this.#head, name) ?? undefined);
  }
}
