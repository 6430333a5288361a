import fc from "fast-check";

const words = fc.stringMatching(/^[a-z0-9]{1,8}$/);
const methods = fc.constantFrom("GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "M-SEARCH", "QUERY");
const targets = fc.constantFrom("/", "/a/b?c=d", "/%20{}|", "http://other.example/x?y", "http://[::1]:80", "/?");
const hosts = fc.constantFrom("a.example", "a:8080", "[::1]:80", "127.0.0.1", "");
const fields = fc.oneof(
  fc.tuple(fc.stringMatching(/^X-[A-Za-z!#$%&'*+.^_`|~0-9-]{1,12}$/), fc.stringMatching(/^[ \t!-~]{0,20}$/)),
  fc.constantFrom<[string, string][]>(
    ["Connection", "keep-alive"],
    ["Connection", "close"],
    ["Connection", "keep-alive, X-Hop"],
    ["Connection", "Upgrade"],
    ["Upgrade", "websocket"],
    ["Upgrade", "h2c"],
    ["Expect", "100-continue"],
    ["TE", "trailers"],
    ["Trailer", "X-Sum"],
    ["Keep-Alive", "timeout=5"],
    ["Cookie", "a=b; c=\xe9"],
    ["X-Forwarded-For", "10.0.0.1"],
    ["X-Request-Id", "abc"],
    ["Forwarded", "for=10.0.0.1"],
    ["X-Hop", "1"],
  ),
);
const spaces = fc.constantFrom("", " ", " ", " ", "  ", "\t");
const bytes = fc.oneof(words, fc.constantFrom("\r\n", "0\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\0\xff"));
const extensions = fc.constantFrom("", "", "", ";a", ";a=b", ';a="b;\\"c"', ";a;b=c");

const chunked = fc
  .record({
    chunks: fc.array(fc.tuple(bytes, extensions, fc.boolean()), { maxLength: 3 }),
    trailers: fc.array(fc.tuple(words, words), { maxLength: 2 }),
  })
  .map(({ chunks, trailers }) => {
    const body = chunks.map(([text, extension, isUpper]) => {
      const size = text.length.toString(16);
      return `${isUpper ? size.toUpperCase() : `0${size}`}${extension}\r\n${text}\r\n`;
    });
    const tail = trailers.map(([name, value]) => `X-${name}: ${value}\r\n`);
    return {
      fields: [["Transfer-Encoding", "chunked"] as [string, string]],
      body: `${body.join("")}0\r\n${tail.join("")}\r\n`,
    };
  });
const sized = bytes.map((text) => ({
  fields: [["Content-Length", String(text.length)] as [string, string]],
  body: text,
}));
const bare = fc.constant({ fields: [] as [string, string][], body: "" });
const framed = fc.oneof(bare, sized, chunked);

interface Parts {
  readonly start: string;
  readonly fields: readonly [string, string][];
  readonly space: string;
  readonly body: string;
}

/** Tabs beside what frames a message are refused. */
const line = ([name, value]: readonly [string, string], space: string): string => {
  const around = /^(?:content-length|transfer-encoding)$/i.test(name) ? space.replaceAll("\t", " ") : space;
  return `${name}:${around}${value}${around}\r\n`;
};

const text = ({ start, fields, space, body }: Parts): string =>
  `${start}\r\n${fields.map((field) => line(field, space)).join("")}\r\n${body}`;

/** Whole requests that are valid, as latin1. */
export const validRequest: fc.Arbitrary<string> = fc
  .record({
    method: methods,
    target: targets,
    host: hosts,
    fields: fc.array(fields, { maxLength: 5 }),
    framed,
    space: spaces,
  })
  .map(({ method, target, host, fields, framed, space }) => {
    // An upgrade with a body is refused: not what "valid" means here.
    const plain =
      framed.body === "" && framed.fields.length === 0 ? fields : fields.filter(([name]) => name !== "Upgrade");
    return text({
      start: `${method} ${target} HTTP/1.1`,
      fields: [["Host", host], ...plain, ...framed.fields],
      space,
      body: framed.body,
    });
  });

const statuses = fc.constantFrom(
  "200 OK",
  "200 OK",
  "200 ",
  "404 Not Found",
  "500 x",
  "304 Not Modified",
  "204 No Content",
  "100 Continue",
);
const answerFields = fc.oneof(
  fields.filter(([name]) => name !== "Upgrade"),
  fc.constantFrom<[string, string][]>(
    ["Date", "now"],
    ["Content-Type", "text/event-stream"],
    ["Set-Cookie", "a=b"],
    ["Teal-Error", "no-route"],
  ),
);

/** Whole answers that are valid; one without a length reaches to the end of the connection. */
export const validResponse: fc.Arbitrary<string> = fc
  .record({ status: statuses, fields: fc.array(answerFields, { maxLength: 5 }), framed, space: spaces })
  .map(({ status, fields, framed, space }) => {
    const isBodiless = /^(?:1|204|304)/.test(status);
    const all = isBodiless ? fields : [...fields, ...framed.fields];
    return text({ start: `HTTP/1.1 ${status}`, fields: all, space, body: isBodiless ? "" : framed.body });
  });

/** What attackers and broken clients put where it does not belong. */
const NASTY = [
  "\r", "\n", "\r\n", "\0", " ", "\t", ":", ",", ";", "\x0b", "\x0c", "\x7f", "\x85", "\xa0", "0", "a", "-1", "+5", "0x5", "5, 5", "1e1",
  "Content-Length: 5\r\n", "Content-Length: 0\r\n", "Content-Length : 5\r\n", "content-length:6\r\n", "Transfer-Encoding: chunked\r\n",
  "Transfer-Encoding: identity\r\n", "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding : chunked\r\n", "Transfer-Encoding:\x0bchunked\r\n",
  "Transfer-Encoding: chunked, chunked\r\n", "Transfer_Encoding: chunked\r\n", "\r\n Folded: x", "Host: b\r\n", "Connection: close\r\n",
  "Connection: Transfer-Encoding\r\n", "Upgrade: websocket\r\n", "HTTP/1.0", "HTTP/2.0", "http/1.1", "HTTP/1.1\r\n", "\r\n\r\n", "\n\n",
  "0\r\n\r\n", "0\r\n", "5\r\n", ";x=\"", ";\r", "ffffffffffffffff1", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "Expect: 100-continue\r\n",
] as const; // prettier-ignore

type Mutation = readonly [kind: number, at: number, length: number, nasty: string];
const mutations: fc.Arbitrary<Mutation[]> = fc.array(
  fc.tuple(fc.nat(4), fc.nat(100_000), fc.integer({ min: 1, max: 12 }), fc.constantFrom(...NASTY)),
  { minLength: 1, maxLength: 3 },
);

function mutate(message: string, [kind, where, length, nasty]: Mutation): string {
  // Where lines and tokens meet is where parsers differ.
  const seams = [...message.matchAll(/[\r\n:, ;]/g)].map((match) => match.index);
  const seam = seams[where % Math.max(1, seams.length)] ?? 0;
  const at = kind === 0 ? where % (message.length + 1) : seam;
  if (kind === 1) return message.slice(0, at) + message.slice(at + 1);
  if (kind === 2) return message.slice(0, at) + nasty + message.slice(at + 1);
  if (kind === 3) return message.slice(0, at) + message.slice(at, at + length) + message.slice(at);
  // After a line's end as often as before it.
  const to = kind === 4 && message.startsWith("\r\n", at) ? at + 2 : at;
  return message.slice(0, to) + nasty + message.slice(to);
}

export const mutatedOf = (valid: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(fc.array(valid, { minLength: 1, maxLength: 3 }), mutations)
    .map(([messages, changes]) => changes.reduce(mutate, messages.join("")));

/** Random borders to split at; also each byte alone. */
export const borders: fc.Arbitrary<readonly number[] | "each"> = fc.oneof(
  fc.constant("each" as const),
  fc.array(fc.nat(100_000), { maxLength: 6 }),
);

export function split(bytes: Buffer, where: readonly number[] | "each"): Buffer[] {
  const cuts = where === "each" ? Array.from(bytes.keys()) : where.map((at) => at % (bytes.length + 1));
  const sorted = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
  return sorted.slice(1).flatMap((end, at) => {
    const start = sorted[at] ?? 0;
    return end > start ? [bytes.subarray(start, end)] : [];
  });
}
