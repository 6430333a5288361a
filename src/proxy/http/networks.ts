import { BlockList, isIP } from "node:net";

/** Addresses that are listed one by one or as networks: whom to trust, whom to let through. */
export class Networks {
  readonly #networks = new BlockList();

  /** @param networks addresses and networks in CIDR notation, as teal.yaml has checked them */
  constructor(networks: readonly string[]) {
    for (const network of networks) {
      const [address = "", prefix] = network.split("/");
      const family = familyOf(address);
      if (family === null) throw new TypeError(`${network} is neither an address nor a network`);
      if (prefix === undefined) this.#networks.addAddress(address, family);
      else this.#networks.addSubnet(address, Number(prefix), family);
    }
  }

  has(address: string): boolean {
    const family = familyOf(address);
    return family !== null && this.#networks.check(address, family);
  }
}

function familyOf(address: string): "ipv4" | "ipv6" | null {
  const family = isIP(address);
  if (family === 0) return null;
  return family === 4 ? "ipv4" : "ipv6";
}
