import { expect, test } from "vitest";
import { pointOf } from "../affinity.ts";
import { CLIENT_CELL, sharedInts } from "../cells.ts";
import { FailingClients } from "./failing-clients.ts";

const table = () => sharedInts(CLIENT_CELL.length * CLIENT_CELL.places);
const client = (name: string): number => pointOf(name, 7);

test("a client fails once in ten seconds, whichever worker sees it", () => {
  const cell = table();
  const [one, other] = [new FailingClients(cell), new FailingClients(cell)];
  expect(one.failed(client("ann"), 1_000_000)).toBe("first");
  expect(other.failed(client("ann"), 1_000_100)).toBe("repeat");
  expect(one.failed(client("ann"), 1_009_900)).toBe("repeat");
  expect(other.failed(client("ann"), 1_010_000)).toBe("again");
  expect(one.failed(client("ann"), 1_010_100)).toBe("repeat");
  expect(one.failed(client("bob"), 1_010_100)).toBe("first");
});

test("a clock that is set makes at most one more of it", () => {
  const clients = new FailingClients(table());
  expect(clients.failed(client("ann"), 1_000_000)).toBe("first");
  expect(clients.failed(client("ann"), 10_000)).toBe("again");
  expect(clients.failed(client("ann"), 10_200)).toBe("repeat");
});

test("of hundreds of clients at once, hardly any is taken for a new one", () => {
  const clients = new FailingClients(table());
  const names = Array.from({ length: 300 }, (_, i) => client(`user-${String(i)}`));
  for (const name of names) clients.failed(name, 0);
  const repeats = names.filter((name) => clients.failed(name, 1_000) === "repeat").length;
  expect(repeats).toBeGreaterThan(290);
});

test("more clients than there is room for are still counted, each as a new one at worst", () => {
  const clients = new FailingClients(table());
  for (let i = 0; i < 20_000; i += 1)
    expect(clients.failed(client(`user-${String(i)}`), i)).toMatch(/first|again|repeat/u);
  expect(clients.failed(client("user-19999"), 20_000)).toBe("repeat");
});
