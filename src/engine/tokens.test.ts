import { beforeEach, expect, test } from "vitest";
import { directSqliteStore } from "../store/sqlite/direct.ts";
import type { Store } from "../store/store.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { memoryTokens } from "./testing/memory-tokens.ts";
import type { Tokens } from "./tokens.ts";

const CI = { name: "ci", role: "deployer", services: ["web"], lastsMs: null, by: "ada", reason: "pipeline" } as const;

let store: Store;
let clock: ManualClock;
let tokens: Tokens;

const open = (): Promise<Tokens> => memoryTokens(store, clock);

beforeEach(async () => {
  store = directSqliteStore(":memory:");
  clock = new ManualClock();
  tokens = await open();
});

test("only the whole secret opens, also after a restart, and the store does not hold it", async () => {
  const { token, secret } = await tokens.create(CI);
  const again = await open();
  for (const each of [tokens, again]) expect(each.authenticate(secret)?.token.name).toBe("ci");
  const other = `${secret.slice(0, -1)}${secret.endsWith("A") ? "B" : "A"}`;
  const wrong = ["", "teal", other, secret.slice(0, -1), `${secret} `, secret.replace(token.id, "0".repeat(16))];
  expect(wrong.filter((text) => again.authenticate(text) !== null)).toEqual([]);
  const kept = JSON.stringify([await store.tokens(), await store.events(0, 9)]);
  expect(kept).not.toContain(secret.split("_").slice(2).join("_"));
});

test("who made and revoked a token is among the events, and a revoked one ends at once", async () => {
  const { token, secret } = await tokens.create(CI);
  const opened = tokens.authenticate(secret);
  expect(opened?.ended.aborted).toBe(false);
  await tokens.revoke("ci", { by: "bob", reason: "leaked" });
  expect(opened?.ended.aborted).toBe(true);
  expect([tokens.authenticate(secret), (await open()).authenticate(secret)]).toEqual([null, null]);
  expect((await store.events(0, 9)).map(({ type, data }) => [type, data["by"], data["id"]])).toEqual([
    ["token-created", "ada", token.id],
    ["token-revoked", "bob", token.id],
  ]);
  await expect(tokens.revoke("ci", { by: "bob", reason: null })).rejects.toMatchObject({ code: "token-unknown" });
});

test("an expired token opens nothing, ends what it had open, and no longer counts as a way in", async () => {
  const { secret } = await tokens.create({ ...CI, lastsMs: 1_000 });
  const opened = tokens.authenticate(secret);
  clock.advance(999);
  expect([tokens.usable, tokens.authenticate(secret) !== null]).toEqual([true, true]);
  clock.advance(1);
  expect([tokens.usable, tokens.authenticate(secret)]).toEqual([false, null]);
  tokens.sweep();
  expect(opened?.ended.aborted).toBe(true);
  expect(tokens.list()).toHaveLength(1);
});

test("the last use is recorded, to a minute", async () => {
  const { secret } = await tokens.create(CI);
  const first = clock.now();
  tokens.authenticate(secret);
  clock.advance(59_999);
  tokens.authenticate(secret);
  expect((await store.tokens())[0]?.usedAt).toBe(first);
  clock.advance(1);
  tokens.authenticate(secret);
  expect((await store.tokens())[0]?.usedAt).toBe(first + 60_000);
});
