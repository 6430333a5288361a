import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { connectPeer, PeerServer } from "./connect.ts";
import { KEEPER_PROTOCOL } from "./keeper.ts";
import { defineProtocol, type Protocol } from "./protocol.ts";
import { PROXY_PROTOCOL } from "./proxy.ts";

/** What is used of JSON Schema, as `z.toJSONSchema` writes it. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly prefixItems?: readonly Schema[];
}
/** What an end takes, and what it sends. */
interface Shape {
  readonly reads: Schema;
  readonly sends: Schema;
}
interface Frozen {
  readonly version: number;
  readonly calls: Readonly<Record<string, { readonly params: Shape; readonly result: Shape }>>;
  readonly notices: Readonly<Record<string, Shape>>;
}

/** Each version as it was when the next one came; never regenerated. A new version of a protocol gets a file beside them. */
const frozen = (name: string, version: number): Frozen =>
  JSON.parse(readFileSync(new URL(`./fixtures/${name}.v${String(version)}.json`, import.meta.url), "utf8")) as Frozen;

const shapeOf = (schema: z.ZodType): Shape => ({
  reads: z.toJSONSchema(schema, { io: "input" }) as Schema,
  sends: z.toJSONSchema(schema, { io: "output" }) as Schema,
});

/** Why an end with `reads` may refuse what the other `sends`. What it does not know it leaves out. */
function problems(reads: Schema, sends: Schema, at: string): string[] {
  if (sends.anyOf !== undefined) return sends.anyOf.flatMap((each) => problems(reads, each, at));
  if (reads.anyOf !== undefined) {
    const tries = reads.anyOf.map((each) => problems(each, sends, at));
    return tries.some((found) => found.length === 0) ? [] : (tries[0] ?? [`${at}: nothing is taken`]);
  }
  const values = (schema: Schema) => schema.enum ?? ("const" in schema ? [schema.const] : undefined);
  const taken = values(reads);
  const unknown = taken === undefined ? [] : (values(sends) ?? ["anything"]).filter((value) => !taken.includes(value));
  if (unknown.length > 0) return [`${at}: ${unknown.join(", ")} is not taken`];
  const types = typesOf(reads);
  const strange = types === null ? [] : (typesOf(sends) ?? ["anything"]).filter((type) => !types.includes(type));
  if (strange.length > 0) return [`${at}: ${strange.join(", ")} is not taken`];
  return [
    ...(reads.required ?? [])
      .filter((key) => sends.required?.includes(key) !== true)
      .map((key) => `${at}.${key}: may be absent`),
    ...Object.entries(reads.properties ?? {}).flatMap(([key, schema]) => {
      const sent = sends.properties?.[key];
      return sent === undefined ? [] : problems(schema, sent, `${at}.${key}`);
    }),
    ...both(reads.items, sends.items, `${at}[]`),
    ...both(reads.additionalProperties, sends.additionalProperties, `${at}.*`),
    ...(reads.prefixItems ?? []).flatMap((schema, index) =>
      both(schema, sends.prefixItems?.[index], `${at}[${String(index)}]`),
    ),
  ];
}

/** An integer is a number, too. */
function typesOf({ type }: Schema): readonly string[] | null {
  if (type === undefined) return null;
  const types = typeof type === "string" ? [type] : type;
  return types.includes("number") ? [...types, "integer"] : types;
}

function both(reads: Schema | boolean | undefined, sends: Schema | boolean | undefined, at: string): string[] {
  return typeof reads === "object" && typeof sends === "object" ? problems(reads, sends, at) : [];
}

/** Either end may be the older one. */
const eitherWay = (now: Shape, then: Shape, at: string): string[] => [
  ...problems(now.reads, then.sends, `${at}, read`),
  ...problems(then.reads, now.sends, `${at}, sent`),
];

function incompatibilities(protocol: Protocol, old: Frozen): string[] {
  return [
    ...Object.entries(old.calls).flatMap(([name, { params, result }]) => {
      const now = protocol.calls[name];
      if (now === undefined) return [`${name}: is gone`];
      return [
        ...eitherWay(shapeOf(now.params), params, `${name} params`),
        ...eitherWay(shapeOf(now.result), result, `${name} result`),
      ];
    }),
    ...Object.entries(old.notices).flatMap(([name, shape]) => {
      const now = protocol.notices[name];
      return now === undefined ? [`${name}: is gone`] : eitherWay(shapeOf(now), shape, `${name} notice`);
    }),
  ];
}

const protocols: readonly Protocol[] = [KEEPER_PROTOCOL, PROXY_PROTOCOL];
const spoken = protocols.flatMap((protocol) => protocol.versions.map((version) => ({ protocol, version })));

test.each(spoken)("the $protocol.name protocol is understood by version $version, and understands it", (each) => {
  const then = frozen(each.protocol.name, each.version);
  expect(then.version).toBe(each.version);
  expect(incompatibilities(each.protocol, then)).toEqual([]);
});

test.each(protocols)("what the $name protocol can do has a version, which is frozen", (protocol) => {
  const known = frozen(protocol.name, Math.max(...protocol.versions));
  expect(Object.keys(protocol.calls).toSorted()).toEqual(Object.keys(known.calls).toSorted());
  expect(Object.keys(protocol.notices).toSorted()).toEqual(Object.keys(known.notices).toSorted());
});

test("a change that an older version would not understand is found", () => {
  const calls = {
    ask: { params: z.object({ a: z.string() }), result: z.object({ kind: z.enum(["x"]), list: z.array(z.int()) }) },
  };
  const old = { params: shapeOf(calls.ask.params), result: shapeOf(calls.ask.result) };
  const found = (params: z.ZodType, result: z.ZodType): string[] =>
    incompatibilities(
      { name: "p", versions: [1], calls: { ask: { params, result } }, notices: {} },
      { version: 1, calls: { ask: old }, notices: {} },
    );
  const { params, result } = calls.ask;
  expect(found(params, result)).toEqual([]);
  expect(found(params.extend({ b: z.string().optional() }), result)).toEqual([]);
  expect(found(params.extend({ b: z.string().default("") }), result)).toEqual([]);
  expect(found(params.extend({ b: z.string() }), result)).toEqual(["ask params, read.b: may be absent"]);
  expect(found(params.partial(), result)).toEqual(["ask params, sent.a: may be absent"]);
  expect(found(z.object({ a: z.int() }), result)).toHaveLength(2);
  expect(found(params, result.extend({ kind: z.enum(["x", "y"]) }))).toEqual(["ask result, sent.kind: y is not taken"]);
  expect(found(params, result.extend({ list: z.array(z.string()) }))).toHaveLength(2);
  expect(
    incompatibilities(
      { name: "p", versions: [1], calls: {}, notices: {} },
      { version: 1, calls: { ask: old }, notices: {} },
    ),
  ).toEqual(["ask: is gone"]);
});

const two = defineProtocol({ name: "two", versions: [2, 1], calls: {}, notices: {} });
const one = { ...two, versions: [1] as const };
const three = { ...two, versions: [3] as const };

test.each([
  { here: two, there: two, agreed: 2 },
  { here: one, there: two, agreed: 1 },
  { here: two, there: one, agreed: 1 },
])("versions $here.versions and $there.versions agree on $agreed", async ({ here, there, agreed }) => {
  const folder = mkdtempSync(join(tmpdir(), "teal-versions-"));
  const path = join(folder, "s.sock");
  const server = await PeerServer.listen<Protocol>(path, there, {});
  onTestFinished(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });
  const peer = await connectPeer(path, here, { down: "keeper-down" });
  expect(peer.version).toBe(agreed);
  peer.close();
  await expect(connectPeer(path, three, { down: "keeper-down" })).rejects.toMatchObject({ code: "protocol-mismatch" });
});
