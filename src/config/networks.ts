import { isIP } from "node:net";
import { refuse, shown } from "./decode.ts";
import { text } from "./texts.ts";

/** `192.0.2.7`, `192.0.2.0/24`, `2001:db8::/32`; an address without a prefix is just itself. */
export const network = text({ title: "address or network" }, (value) => {
  const [address = "", prefix, ...more] = value.split("/");
  const family = address.includes("%") ? 0 : isIP(address);
  const most = family === 4 ? 32 : 128;
  if (family === 0 || more.length > 0 || (prefix !== undefined && !/^\d{1,3}$/.test(prefix)))
    return refuse(`is ${shown(value)}; write an address or a network, such as 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32`);
  if (Number(prefix ?? 0) > most)
    return refuse(`is ${shown(value)}; a prefix of IPv${String(family)} has at most ${String(most)} bits`);
  return value.toLowerCase();
});
