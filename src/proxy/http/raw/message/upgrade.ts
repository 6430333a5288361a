const PROTOCOLS = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:\/[!#$%&'*+\-.^_`|~0-9A-Za-z]+)?$/;

/**
 * The protocol a message may switch to, as it was written. Null for what is ignored (RFC 9110, 7.8 allows it): `h2c`,
 * by which a client could speak to an instance past the proxy, more than one protocol, or none.
 */
export function upgradeOf(value: string): string | null {
  return PROTOCOLS.test(value) && !value.toLowerCase().startsWith("h2") ? value : null;
}
