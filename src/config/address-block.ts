import { isIP } from "node:net";
import { refuse, shown } from "./decode.ts";
import { text } from "./texts.ts";

/** An address, or a block of them as CIDR (RFC 4632, 3.1; RFC 4291, 2.3): `192.0.2.7`, `10.0.0.0/8`, `2001:db8::/32`. */
export const addressBlock = text({ title: "address or CIDR block" }, (value) => {
  const [address = "", prefix, ...more] = value.split("/");
  const bits = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0;
  const isBlock = prefix === undefined || (/^[0-9]{1,3}$/.test(prefix) && Number(prefix) <= bits);
  return bits > 0 && !address.includes("%") && isBlock && more.length === 0
    ? value
    : refuse(`is ${shown(value)}; write an address or a CIDR block, such as 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32`);
});
