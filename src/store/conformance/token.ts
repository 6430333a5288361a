import { expect, test } from "vitest";
import { NOW, sampleEvent } from "../samples.ts";
import type { Get, Reopen } from "./setting.ts";

/** Keys to the API: part of the suite of every store. */
export function tokenConformance(get: Get, reopen: Reopen): void {
  const token = {
    id: "1f",
    hash: "ab",
    name: "ci",
    role: "deployer",
    services: ["web"],
    createdBy: "ada",
    createdAt: NOW,
    expiresAt: NOW + 9,
    usedAt: null,
  } as const;

  test("a token is kept until it is removed, each with its event, and no name is given twice", async () => {
    const [created] = await get().addToken(token, [sampleEvent({ type: "token-created" })]);
    expect(created?.type).toBe("token-created");
    await get().addToken({ ...token, id: "2f", name: "other", services: null, createdAt: NOW + 1 }, []);
    await expect(get().addToken({ ...token, id: "3f" }, [sampleEvent()])).rejects.toMatchObject({
      code: "token-exists",
    });
    await get().markTokenUsed("1f", NOW + 5);
    await reopen();
    expect(await get().tokens()).toEqual([
      { ...token, usedAt: NOW + 5 },
      { ...token, id: "2f", name: "other", services: null, createdAt: NOW + 1 },
    ]);
    await get().removeToken("1f", [sampleEvent({ type: "token-revoked" })]);
    await expect(get().removeToken("1f", [sampleEvent()])).rejects.toMatchObject({ code: "token-unknown" });
    await get().markTokenUsed("1f", NOW + 6);
    expect((await get().tokens()).map(({ id }) => id)).toEqual(["2f"]);
    expect((await get().events(0, 9)).map(({ type }) => type)).toEqual(["token-created", "token-revoked"]);
  });
}
