import { isIP } from "node:net";
import { refuse, shown } from "./decode.ts";
import { type Finding, tolerantRule } from "./rule.ts";
import { text } from "./texts.ts";

const LISTEN = /^(?:\[([0-9a-fA-F:.%a-z]+)\]|([0-9.]+)):([0-9]{1,5})$/;
const ANY = ["0.0.0.0", "[::]"];

/** `127.0.0.1:8080`, `[::1]:8080`; port 0 takes a free one. */
export const listenAddress = text({ title: "address", pattern: LISTEN.source }, (value) => {
  const [, v6, v4, port] = LISTEN.exec(value) ?? [];
  const numeric = v6 === undefined ? isIP(v4 ?? "") === 4 : isIP(v6) === 6;
  if (!numeric) {
    return refuse(
      `is ${shown(value)}; write a numeric address and a port, such as 127.0.0.1:8080, 0.0.0.0:80 or [::1]:8080`,
    );
  }
  return Number(port) <= 65_535 ? value : refuse(`is ${shown(value)}; a port is at most 65535`);
});

/** No two addresses of a list can be the same, or one contain the other: the second could not be bound. */
export const bindable = tolerantRule((list) => {
  const addresses = Array.isArray(list)
    ? (list as readonly unknown[]).map((item) => (typeof item === "string" ? parts(item) : null))
    : [];
  return addresses.flatMap((address, index): Finding[] => {
    const clash = addresses
      .slice(0, index)
      .find((earlier) => address !== null && earlier !== null && clashes(address, earlier));
    return clash === undefined || clash === null
      ? []
      : [{ at: [index], message: `cannot stand beside ${clash.text}, which has the same port` }];
  });
});

interface Address {
  readonly text: string;
  readonly host: string;
  readonly port: number;
}

function parts(text: string): Address | null {
  const colon = text.lastIndexOf(":");
  return LISTEN.test(text) ? { text, host: text.slice(0, colon), port: Number(text.slice(colon + 1)) } : null;
}

function clashes(a: Address, b: Address): boolean {
  if (a.text === b.text) return true;
  const sameFamily = a.host.startsWith("[") === b.host.startsWith("[");
  return (
    a.port === b.port &&
    a.port !== 0 &&
    sameFamily &&
    (a.host === b.host || ANY.includes(a.host) || ANY.includes(b.host))
  );
}
