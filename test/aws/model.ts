import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const shape = z.object({
  type: z.string(),
  required: z.array(z.string()).prefault([]),
  members: z.record(z.string(), z.object({ shape: z.string() })).prefault({}),
  member: z.object({ shape: z.string() }).optional(),
  enum: z.array(z.string()).optional(),
  min: z.number().optional(),
  max: z.number().optional(),
  pattern: z.string().optional(),
});
type Shape = z.output<typeof shape>;
const serviceModel = z.object({
  metadata: z.object({ targetPrefix: z.string(), endpointPrefix: z.string(), jsonVersion: z.string() }),
  operations: z.record(
    z.string(),
    z.object({ input: z.object({ shape: z.string() }), output: z.object({ shape: z.string() }).optional() }),
  ),
  shapes: z.record(z.string(), shape),
});

/** Shapes of one AWS service, by which requests and answers are checked. */
export class AwsModel {
  readonly #model: z.output<typeof serviceModel>;

  private constructor(model: z.output<typeof serviceModel>) {
    this.#model = model;
  }

  /** The model beside this file; with TEAL_AWS_MODELS, that of a folder with all of botocore's. */
  static read(service: string): AwsModel {
    const all = process.env["TEAL_AWS_MODELS"];
    const file =
      all === undefined ? join(import.meta.dirname, `${service}.json`) : join(all, service, "service-2.json");
    return new AwsModel(serviceModel.parse(JSON.parse(readFileSync(file, "utf8"))));
  }

  get metadata(): z.output<typeof serviceModel>["metadata"] {
    return this.#model.metadata;
  }

  /** What is wrong with a request or an answer, as paths and words; empty: it is valid. */
  problems(operation: string, side: "input" | "output", value: unknown): readonly string[] {
    const of = this.#model.operations[operation]?.[side];
    return of === undefined ? [`${operation} has no ${side}`] : this.#check(of.shape, value, side);
  }

  #check(name: string, value: unknown, at: string): readonly string[] {
    const of = this.#model.shapes[name];
    if (of === undefined) return [`${at}: there is no shape ${name}`];
    switch (of.type) {
      case "structure":
        return this.#structure(of, value, at);
      case "list":
        if (!Array.isArray(value)) return [`${at}: is no list`];
        return [
          ...outside(of, value.length, at),
          ...value.flatMap((item, i) => this.#check(of.member?.shape ?? "", item, `${at}[${String(i)}]`)),
        ];
      case "string":
        return typeof value === "string" ? text(of, value, at) : [`${at}: is no text`];
      case "integer":
      case "long":
        return Number.isInteger(value) ? outside(of, Number(value), at) : [`${at}: is no whole number`];
      case "double":
      case "timestamp":
        return typeof value === "number" && Number.isFinite(value) ? [] : [`${at}: is no number`];
      case "boolean":
        return typeof value === "boolean" ? [] : [`${at}: is neither true nor false`];
      default:
        return [`${at}: no check for a ${of.type}`];
    }
  }

  #structure(of: Shape, value: unknown, at: string): readonly string[] {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return [`${at}: is no structure`];
    const given = value as Readonly<Record<string, unknown>>;
    return [
      ...of.required.filter((key) => !Object.hasOwn(given, key)).map((key) => `${at}.${key}: is required`),
      ...Object.entries(given).flatMap(([key, item]) => {
        const member = of.members[key];
        return member === undefined ? [`${at}.${key}: is not known`] : this.#check(member.shape, item, `${at}.${key}`);
      }),
    ];
  }
}

function text(of: Shape, value: string, at: string): readonly string[] {
  if (of.enum !== undefined && !of.enum.includes(value)) return [`${at}: ${value} is not one of its words`];
  if (of.pattern !== undefined && !new RegExp(`^(?:${of.pattern})$`, "s").test(value))
    return [`${at}: does not match ${of.pattern}`];
  return outside(of, value.length, at);
}

function outside({ min = -Infinity, max = Infinity }: Shape, size: number, at: string): readonly string[] {
  return size < min || size > max ? [`${at}: ${String(size)} is outside ${String(min)} to ${String(max)}`] : [];
}
