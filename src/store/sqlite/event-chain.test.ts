import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { type ChainedRow, digestOfGaps, genesis, linkOf } from "./event-chain.ts";

const row: ChainedRow = {
  seq: 1,
  at: 1.5,
  service: "web",
  deployment: null,
  type: "drift",
  step: "",
  data: '{"a":"é"}',
};
const sha256 = (hex: string): string => createHash("sha256").update(hex, "hex").digest("hex");

test("the bytes of a row are those of the encoding, by hand", () => {
  const bytes = [
    "11".repeat(32),
    "01",
    "0000000000000001",
    "3ff8000000000000",
    "00000003776562",
    "ffffffff",
    "000000056472696674",
    "00000000",
    "0000000a7b2261223a22c3a9227d",
  ];
  expect(linkOf(Buffer.alloc(32, 0x11), row).toString("hex")).toBe(sha256(bytes.join("")));
});

test("the beginning is of the number that it begins after, and gaps are digested as they follow", () => {
  expect(genesis(0).toString("hex")).toBe(sha256(Buffer.from("teal journal 1:0").toString("hex")));
  const [before, after] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
  const one = `0000000000000007${"01".repeat(32)}${"02".repeat(32)}`;
  expect(digestOfGaps([{ last: 7, before, after }])).toBe(sha256(one));
  expect(digestOfGaps([])).toBe(sha256(""));
});
