import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readVector } from "./vector.ts";

const vector = (...values: readonly unknown[]) => ({
  status: "success",
  data: { resultType: "vector", result: values.map((value) => ({ metric: {}, value: [1_700_000_000.5, value] })) },
});

describe("an answer of Prometheus", () => {
  it("is one number and its moment", () => {
    expect(readVector(200, vector("12.5"))).toEqual({ value: 12.5, at: 1_700_000_000_500 });
    expect(readVector(200, { status: "success", data: { resultType: "scalar", result: [1, "3e2"] } })).toEqual({
      value: 300,
      at: 1_000,
    });
  });

  it.each([
    [vector(), "no series"],
    [vector("1", "2"), "several series"],
    [vector("NaN"), "NaN, which is no number"],
    [vector("+Inf"), "+Inf, which is no number"],
    [vector("-Inf"), "-Inf, which is no number"],
    [vector(""), "which is no number"],
    [vector(5), "not as Prometheus does"],
    [{ status: "success", data: { resultType: "matrix", result: [] } }, "gives a matrix"],
    [{ status: "success", data: { resultType: "string", result: [1, "a"] } }, "gives a string"],
    [
      { status: "success", data: { resultType: "vector", result: [{ metric: {}, histogram: [1, {}] }] } },
      "a histogram",
    ],
    [
      { status: "error", errorType: "bad_data", error: "parse error: unexpected end" },
      "refused the query: parse error",
    ],
    [{ status: "error" }, "refused the query: 400"],
    [[], "not as Prometheus does"],
    [null, "not as Prometheus does"],
  ])("%j is no evidence", (json, why) => {
    expect(readVector(400, json)).toMatchObject({ kind: "none", reason: expect.stringContaining(why) as string });
  });

  it("whatever it is, it is a finite number or a reason", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.jsonValue(),
          fc.string().map((text) => vector(text)),
        ),
        (json) => {
          const read = readVector(200, json);
          expect("kind" in read ? read.reason !== "" : Number.isFinite(read.value)).toBe(true);
        },
      ),
    );
  });
});
