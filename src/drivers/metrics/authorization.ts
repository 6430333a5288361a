/** What a source wants to know before it answers. */
interface Credentials {
  readonly bearer?: string;
  readonly user?: string;
  readonly password?: string;
}

/** RFC 6750 and RFC 7617. */
export function authorization({ bearer, user, password }: Credentials): Readonly<Record<string, string>> {
  if (bearer !== undefined) return { authorization: `Bearer ${bearer}` };
  if (user === undefined) return {};
  return { authorization: `Basic ${Buffer.from(`${user}:${password ?? ""}`).toString("base64")}` };
}
