import { closeSync } from "node:fs";
import { TealError } from "../model/error.ts";
import { bindSocket } from "./bound-socket.ts";
import { type ListenAddress, parseListen, printAddress } from "./listen-address.ts";
import { holderOf, ListeningSockets } from "./listeners.ts";
import { describeProcess } from "./procfs.ts";

/** A listening address of the proxy, held by the keeper. It never listens on it itself. */
export interface HeldSocket {
  /** As teal.yaml says it; what identifies the socket. */
  readonly listen: string;
  /** `host:port`, with the port that was drawn for port 0. */
  readonly address: string;
  readonly fd: number;
  close(): void;
}

/**
 * @param at where it is bound: with port 0, the port that was drawn before
 * @throws `port-taken` with the address and, when it can be found, the process that has it; `config-invalid`
 */
export function holdSocket(listen: string, at = listen): HeldSocket {
  const wanted = parseListen(at);
  try {
    const bound = bindSocket(wanted.host, wanted.port);
    return { listen, address: printAddress(bound), fd: bound.fd, close: () => bound.close() };
  } catch (thrown) {
    throw bindError(wanted, thrown);
  }
}

/** A socket that came as a descriptor of this process from the one that started it. */
export function adoptSocket(inherited: {
  readonly listen: string;
  readonly address: string;
  readonly fd: number;
}): HeldSocket {
  return { ...inherited, close: () => closeSync(inherited.fd) };
}

/** What a failed bind is for a person. */
export function bindError(wanted: ListenAddress, thrown: unknown): TealError {
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
  const address = printAddress(wanted);
  const cause = { cause: thrown };
  switch (code) {
    case "EADDRINUSE": {
      const holder = holderOf(new ListeningSockets().inodesOn(wanted.port, true));
      const by = holder === null ? "another process" : describeProcess(holder);
      return new TealError("port-taken", `${address} is taken by ${by}`, cause);
    }
    case "EACCES":
      return new TealError("port-taken", `${address} may not be bound by this user: ports below 1024 are privileged`, {
        ...cause,
        remedy:
          "Use a port from 1024 up in proxy.listen, or allow it: sysctl net.ipv4.ip_unprivileged_port_start, or setcap cap_net_bind_service on node.",
      });
    case "EADDRNOTAVAIL":
      return new TealError("port-taken", `${address} is not an address of this machine`, {
        ...cause,
        remedy: "Use an address of this machine in proxy.listen in teal.yaml.",
      });
    default:
      return new TealError(
        "port-taken",
        `${address} cannot be bound: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
        cause,
      );
  }
}
