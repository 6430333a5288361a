import { z } from "zod";
import { DEFAULT_API_LISTEN } from "../model/api-listen.ts";
import { refuse, shown } from "./decode.ts";
import { listenAddress } from "./listen.ts";
import { map } from "./map.ts";
import { text } from "./texts.ts";

const HOST = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;

const host = text({ title: "name", pattern: HOST.source }, (value) =>
  HOST.test(value) ? value : refuse(`is ${shown(value)}; write a host name in lower case, without a port`),
);

/** `server`: how the API is reached over TCP. */
export const serverSection = map({
  listen: listenAddress
    .meta({
      description:
        "Address of the API over TCP, which is there while a token exists (`teal token create`). Without TLS: keep it on this machine, or put TLS in front.",
      examples: ["127.0.0.1:8325"],
    })
    .prefault(DEFAULT_API_LISTEN),
  hosts: z
    .array(host)
    .meta({
      description: "Names, beside `localhost` and addresses in digits, that calls may come to it by.",
      examples: [["teal.example.com"]],
    })
    .prefault([]),
}).meta({ description: "The API over TCP. Read when Teal starts." });
