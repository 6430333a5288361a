import { describe, expect, it } from "vitest";
import type { GuardrailSpec } from "../model/guardrail.ts";
import type { UsersWindow, Weights } from "../model/traffic.ts";
import { ActiveUsers } from "./active-users.ts";
import { seeded } from "./testing.ts";
import type { RuleVerdict, Subjects } from "./verdict.ts";

const spec: GuardrailSpec = {
  minRequests: 1,
  alpha: 0.001,
  errorRate: {},
  latency: {},
  activeUsers: { warn: 0.2, hold: 0.4, windowMs: 60_000 },
};
const both: Subjects = { candidate: "green", baseline: "blue" };
const alone: Subjects = { candidate: "green", baseline: null };

class Court {
  users = ActiveUsers.of(spec, undefined);
  #window = 0;

  see(weights: Weights, distinct: UsersWindow["distinct"], subjects = both, ms = 60_000): this {
    const window = { window: (this.#window += 1), ms, weights, distinct };
    this.users = this.users?.add({ epoch: "a", users: window }, subjects) ?? null;
    return this;
  }

  verdict(subjects = both): RuleVerdict {
    const verdict = this.users?.verdict(subjects) ?? null;
    if (verdict === null) throw new Error("there is no rule");
    return verdict;
  }
}

const TENTH = { blue: 90, green: 10 };
const ALL = { blue: 0, green: 100 };

describe("active users", () => {
  it("are no rule where none is given, and nothing without a whole window", () => {
    const { activeUsers: _, ...none } = spec;
    expect(ActiveUsers.of(none, undefined)).toBeNull();
    expect(new Court().verdict()).toMatchObject({ outcome: "not-enough-evidence", lacking: "baseline", requests: 0 });
  });

  it("are compared by weight with those of the other environment in the same window", () => {
    expect(new Court().see(TENTH, { blue: 9_000, green: 1_000 }).verdict()).toMatchObject({
      outcome: "within",
      observed: 0,
    });
    const gone = new Court().see(TENTH, { blue: 9_000, green: 650 }).verdict();
    expect(gone).toMatchObject({ outcome: "warn", breached: "warn", limit: 0.2, requests: 650 });
    expect(gone.message).toBe(
      "users of green in 60 s: about 650 for 10 % of both, of blue 9,000: 35 % fewer than that; the limit is 20 %; the odds that this is chance: below 1 in 1,000",
    );
    expect(new Court().see(TENTH, { blue: 9_000, green: 450 }).verdict()).toMatchObject({
      outcome: "hold",
      limit: 0.4,
    });
    expect(new Court().see(TENTH, { blue: 9_000, green: 0 }).verdict()).toMatchObject({ outcome: "hold" });
  });

  it("that are few prove nothing, and that is said", () => {
    const few = new Court().see(TENTH, { blue: 45, green: 2 }).verdict();
    expect(few).toMatchObject({ outcome: "not-enough-evidence", lacking: "candidate" });
    expect(few.message).toMatch(
      /^not enough evidence: users of green in 60 s: about 2 for 10 % of both, of blue 45: 60 % fewer/,
    );
    expect(new Court().see(TENTH, { blue: 0, green: 0 }).verdict().outcome).toBe("not-enough-evidence");
  });

  it("of many windows are not added up: the same users come again, on the same side", () => {
    const court = new Court();
    for (let i = 0; i < 200; i += 1) court.see(TENTH, { blue: 90, green: 6 });
    expect(court.verdict().outcome).toBe("not-enough-evidence");
  });

  it("a window is judged once, however often it is told, and what stood ends when they are back", () => {
    const court = new Court().see(TENTH, { blue: 9_000, green: 450 });
    const { users } = court;
    const again = { window: 1, ms: 60_000, weights: TENTH, distinct: { blue: 9_000, green: 450 } };
    expect(users?.add({ epoch: "a", users: again }, both)).toBe(users);
    expect(court.see(TENTH, { blue: 9_000, green: 530 }).verdict().outcome).toBe("hold");
    expect(court.see(TENTH, { blue: 9_000, green: 700 }).verdict().outcome).toBe("warn");
    expect(court.see(TENTH, { blue: 9_000, green: 950 }).verdict().outcome).toBe("within");
  });

  describe("that two proxies tell of, while one replaces the other", () => {
    const few = { blue: 9_000, green: 700 };
    const say = (users: ActiveUsers | null, epoch: string, window: number, distinct = few) =>
      users?.add({ epoch, users: { window, ms: 60_000, weights: TENTH, distinct } }, both) ?? null;

    it("are judged once for each window, however the two take turns, through a crash as well", () => {
      const once = say(say(ActiveUsers.of(spec, undefined), "old", 7), "new", 1);
      let often = once;
      for (let i = 0; i < 200; i += 1) {
        often = say(say(often, "old", 7), "new", 1);
        if (i === 100) often = ActiveUsers.of(spec, JSON.parse(JSON.stringify(often)) as unknown);
      }
      expect(often?.toJSON()).toEqual(once?.toJSON());
      expect(once?.toJSON().windows).toBe(2);
      expect(say(often, "old", 8)?.toJSON().windows).toBe(3);
      expect(say(often, "old", 6)).toBe(often);
    });

    it("are known apart in what an older version has kept", () => {
      const { seen: _, ...old } = say(ActiveUsers.of(spec, undefined), "a/b", 7)?.toJSON() ?? {};
      const users = ActiveUsers.of(spec, { ...old, last: "a/b/7" });
      expect(say(users, "a/b", 7)).toBe(users);
      expect(say(users, "a/b", 8)?.toJSON().windows).toBe(2);
    });

    it("are kept of the newest proxies alone", () => {
      let users = ActiveUsers.of(spec, undefined);
      for (let i = 0; i < 50; i += 1) users = say(users, `epoch ${String(i)}`, 1);
      expect(users?.toJSON().windows).toBe(50);
      expect(JSON.stringify(users).length).toBeLessThan(2_000);
    });
  });

  it("at 100 % are compared with those before the deployment, in windows as long", () => {
    const before = new Court().see({ blue: 100, green: 0 }, { blue: 5_000 });
    expect(before.see(ALL, { green: 3_250 }, alone).verdict(alone)).toMatchObject({ outcome: "warn" });
    expect(before.verdict(alone).message).toContain("about 3,250, before the deployment 5,000: 35 % fewer");
    const shorter = new Court().see({ blue: 100 }, { blue: 5_000 }, both, 10_000).see(ALL, { green: 900 }, alone);
    expect(shorter.verdict(alone)).toMatchObject({ outcome: "not-enough-evidence", lacking: "baseline" });
    expect(new Court().see(ALL, { green: 900 }, alone).verdict(alone).lacking).toBe("baseline");
  });

  it("go on after a crash as if nothing had happened", () => {
    const court = new Court().see({ blue: 100 }, { blue: 5_000 }).see(TENTH, { blue: 9_000, green: 650 });
    const stored: unknown = JSON.parse(JSON.stringify(court.users));
    expect(ActiveUsers.of(spec, stored)?.verdict(both)).toEqual(court.verdict());
    expect(() => ActiveUsers.of(spec, { format: 2 })).toThrow("cannot be read");
  });

  it("of a release that loses no more than the limit are hardly ever too few", () => {
    const random = seeded(7);
    let alarms = 0;
    for (let run = 0; run < 400; run += 1) {
      const court = new Court();
      for (let window = 0; window < 10; window += 1) {
        // Each of 2,000 users comes or does not; a fifth of the new environment's have gone.
        let [green, blue] = [0, 0];
        for (let user = 0; user < 2_000; user += 1) {
          if (random() < 0.5) blue += 1;
          else if (random() < 0.8) green += 1;
        }
        court.see({ blue: 50, green: 50 }, { blue, green });
      }
      if (court.verdict().breached !== null) alarms += 1;
    }
    expect(alarms).toBe(0);
  });
});
