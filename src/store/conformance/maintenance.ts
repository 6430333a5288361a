import { expect, test } from "vitest";
import type { MaintenanceRecord } from "../../model/maintenance.ts";
import { NOW } from "../samples.ts";
import type { Get, Reopen } from "./setting.ts";

/** Orders of maintenance: part of the suite of every store. */
export function maintenanceConformance(get: Get, reopen: Reopen): void {
  test("maintenance is kept with who ordered it and why; an older revision, or fence, is refused", async () => {
    const row = await get().claim("web", 0);
    expect(await get().maintenance("web")).toBeNull();
    const hold = { deadlineMs: 30_000, most: 9, until: NOW + 5, endsIn: "on" as const };
    const answer = { page: { type: "text/plain", base64: "aGk=" }, status: 503, retryAfterMs: 1, allow: ["192.0.2.1"] };
    const record = (revision: number): MaintenanceRecord => ({
      revision,
      order: { mode: "hold", ...hold, ...answer },
      since: NOW,
      by: "ann",
      reason: null,
    });
    const put = (revision: number, fence = row.fence): Promise<unknown> =>
      get().transition({ service: "web", fence, at: NOW, maintenance: record(revision), events: [] });
    await put(4);
    await expect(put(3)).rejects.toMatchObject({ code: "internal" });
    await expect(put(5, row.fence - 1)).rejects.toMatchObject({ code: "fenced" });
    await reopen();
    expect(await get().maintenance("web")).toEqual(record(4));
    expect(await get().service("web")).toEqual(row);
  });
}
