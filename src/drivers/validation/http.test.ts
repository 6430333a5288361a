import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import type { HttpCheck } from "../../model/service.ts";
import { serve } from "./fixtures.ts";
import { systemClock } from "../../main/clock.ts";
import { LocalValidator } from "./validator.ts";

const live = new AbortController().signal;
const validator = new LocalValidator({ clock: systemClock });
const check = (change: Partial<HttpCheck> = {}): HttpCheck => ({
  path: "/",
  status: 200,
  body: null,
  withinMs: null,
  ...change,
});

describe("declared HTTP checks", () => {
  it("passes on the expected status, whatever it is, and follows no redirect", async () => {
    await using app = await serve((request, answer) => {
      answer.writeHead(request.url === "/moved" ? 302 : 200, { location: "/" }).end("hello");
    });
    expect(await validator.http(app.baseUrl, check(), live)).toMatchObject({ passed: true });
    expect(await validator.http(app.baseUrl, check({ path: "/moved", status: 302 }), live)).toMatchObject({
      passed: true,
    });
    expect(await validator.http(app.baseUrl, check({ path: "/moved" }), live)).toMatchObject({
      passed: false,
      summary: "GET /moved answered 302, expected 200",
    });
  });

  it("asks the instance for exactly the path and query, whatever the path looks like", async () => {
    await using app = await serve((request, answer) =>
      answer.end(`${String(request.headers.host)} ${String(request.url)}`),
    );
    const body = (path: string): Promise<boolean> =>
      validator
        .http(app.baseUrl, check({ path, body: `${new URL(app.baseUrl).host} ${path}` }), live)
        .then((result) => result.passed);
    expect(await body("/a?b=c?d")).toBe(true);
    expect(await body("//elsewhere.example/x")).toBe(true);
  });

  it("looks for text in the first MiB of the body, and does not read on for ever", async () => {
    await using app = await serve((_request, answer) => {
      answer.write("needle ");
      const timer = setInterval(() => answer.write("x".repeat(200_000)), 1);
      answer.on("close", () => {
        clearInterval(timer);
      });
    });
    expect(await validator.http(app.baseUrl, check({ body: "needle" }), live)).toMatchObject({ passed: true });
    expect(await validator.http(app.baseUrl, check({ body: "pin" }), live)).toMatchObject({
      passed: false,
      summary: expect.stringContaining('without "pin" in its first 1048576 bytes'),
    });
  });

  it("fails, and says why, when there is no answer", async () => {
    const resetting = createServer((socket) => socket.resetAndDestroy()).listen(0, "127.0.0.1");
    await new Promise((resolve) => resetting.once("listening", resolve));
    const address = resetting.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const reset = await validator.http(`http://127.0.0.1:${String(port)}`, check(), live);
    expect(reset).toMatchObject({ passed: false, summary: expect.stringMatching(/no answer: .*(ECONNRESET|hang up)/) });
    await new Promise((resolve) => resetting.close(resolve));
    const refused = await validator.http(`http://127.0.0.1:${String(port)}`, check(), live);
    expect(refused).toMatchObject({ passed: false, summary: expect.stringContaining("ECONNREFUSED") });
  });

  it("fails when the answer takes longer than allowed, and throws the reason when aborted", async () => {
    await using app = await serve(() => undefined);
    expect(await validator.http(app.baseUrl, check({ withinMs: 50 }), live)).toMatchObject({
      passed: false,
      summary: "GET / did not answer within 50 ms",
    });
    const abort = new AbortController();
    const waiting = validator.http(app.baseUrl, check({ withinMs: 5_000 }), abort.signal);
    abort.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
  });
});

describe("the app's own validation endpoint", () => {
  const answers = async (
    status: number,
    body: string,
    type = "application/json",
  ): Promise<{ passed: boolean; summary: string }> => {
    await using app = await serve((_request, answer) => {
      answer.writeHead(status, { "content-type": type }).end(body);
    });
    return await validator.endpoint(app.baseUrl, "/ready", live);
  };

  it("passes on 200", async () => {
    for (const body of ['{"deployment_ready": true}', "{}", "null", "[]", '"text"']) {
      expect(await answers(200, body)).toMatchObject({ passed: true });
    }
    expect(await answers(200, "fine", "text/plain")).toMatchObject({ passed: true });
    expect(await answers(200, "", "text/plain")).toMatchObject({ passed: true });
  });

  it("fails on another status and on deployment_ready: false, with the app's words", async () => {
    expect(await answers(503, "database away")).toMatchObject({
      passed: false,
      summary: "GET /ready answered 503, expected 200: database away",
    });
    const refusal = await answers(200, '{"deployment_ready": false, "checks": {"cache": "cold"}}', "text/plain");
    expect(refusal).toMatchObject({
      passed: false,
      summary: 'GET /ready says deployment_ready: false: {"cache":"cold"}',
    });
    expect(await answers(200, '{"deployment_ready": false}')).toMatchObject({ passed: false });
  });

  it("fails on JSON that cannot be read: it may say no", async () => {
    expect(await answers(200, '{"deployment_ready": fal')).toMatchObject({
      passed: false,
      summary: expect.stringContaining("but is not"),
    });
    expect(await answers(200, JSON.stringify("x".repeat(2_000_000)))).toMatchObject({
      passed: false,
      summary: expect.stringContaining("more JSON"),
    });
    expect((await answers(500, "y".repeat(5_000))).summary.length).toBeLessThan(1_000);
  });
});

describe("probes", () => {
  const mark = { deployment: "dep_1", timeoutMs: 5_000 };

  it("say what they are, and for which deployment", async () => {
    await using app = await serve((request, answer) =>
      answer.end(`${String(request.headers["teal-probe"])} ${String(request.headers["user-agent"])}`),
    );
    const marked = check({ body: "dep_1 teal-probe" });
    expect(await validator.probe(app.baseUrl, marked, mark, live)).toMatchObject({ passed: true });
    expect(await validator.http(app.baseUrl, check({ body: "undefined teal-validation" }), live)).toMatchObject({
      passed: true,
    });
  });

  it("have a deadline of their own, and the sooner of it and the check's counts", async () => {
    await using app = await serve(() => undefined);
    const within = async (timeoutMs: number, withinMs: number | null) =>
      validator.probe(app.baseUrl, check({ withinMs }), { ...mark, timeoutMs }, live);
    expect(await within(60, null)).toMatchObject({ passed: false, summary: "GET / did not answer within 60 ms" });
    expect(await within(60_000, 50)).toMatchObject({ passed: false, summary: "GET / did not answer within 50 ms" });
  });
});
