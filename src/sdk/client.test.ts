import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TealClient } from "./client.ts";
import { CannedServer, problem } from "./fixtures.ts";
import { systemClock } from "../main/clock.ts";

let server: CannedServer;
let client: TealClient;

beforeEach(async () => {
  server = await CannedServer.start();
  client = new TealClient({ socket: server.socket }, systemClock);
});
afterEach(() => server.close());

describe("TealClient", () => {
  it("fills in the path, sends the body and the idempotency key, and reads the answer", async () => {
    server.json("POST /v1/services/web/deployments", { id: "dep_1" }, 202);
    expect(await client.deploy("web", { version: "v2", reason: null }, "key-1")).toEqual({ id: "dep_1" });
    expect(server.asked[0]?.body).toEqual({ version: "v2", reason: null });
    expect(server.asked[0]?.headers["idempotency-key"]).toBe("key-1");
  });

  it("escapes what stands in a path, and leaves out what is undefined in a query", async () => {
    server.json("GET /v1/services/a%2Fb/history", { history: [] });
    expect(await client.history("a/b", 7)).toEqual({ history: [] });
    expect([...(server.asked[0]?.query ?? [])]).toEqual([["limit", "7"]]);
  });

  it("throws the error that the server raised, with its code, remedy and problems", async () => {
    const body = {
      ...(problem("config-invalid", "two problems", 422) as object),
      problems: [{ path: "services", line: 3, message: "bad" }],
    };
    server.json("GET /v1/status", body, 422);
    await expect(client.status()).rejects.toMatchObject({
      code: "config-invalid",
      message: "two problems",
      remedy: "mend config-invalid",
      exit: 2,
      problems: [{ path: "services", line: 3, message: "bad" }],
    });
  });

  it("keeps message and remedy of a code that it does not know", async () => {
    server.json("GET /v1/status", problem("invented-later", "something new", 418), 418);
    await expect(client.status()).rejects.toMatchObject({
      code: "internal",
      message: "something new",
      remedy: "mend invented-later",
    });
  });

  it("says so when an error is no problem document", async () => {
    server.json("GET /v1/status", "<html>oops</html>", 502);
    await expect(client.status()).rejects.toThrow(/answered 502: <html>oops/);
  });

  it("refuses an answer of another shape, naming the place", async () => {
    server.json("GET /v1/status", { version: "1", listeners: [], services: [{ service: 3 }] });
    await expect(client.status()).rejects.toMatchObject({
      code: "protocol-mismatch",
      message: expect.stringContaining("services.0.service"),
    });
  });

  it("refuses an answer that is no JSON", async () => {
    server.json("GET /v1/status", "not json");
    await expect(client.status()).rejects.toMatchObject({ code: "protocol-mismatch" });
  });

  it("says server-down when there is no socket, and when nobody is behind it", async () => {
    await server.stop();
    await expect(client.status()).rejects.toMatchObject({ code: "server-down", exit: 1 });
    const nowhere = new TealClient({ socket: `${server.folder}/none.sock` }, systemClock);
    await expect(nowhere.status()).rejects.toMatchObject({ code: "server-down" });
  });

  it("says server-down when the server goes away in mid-call", async () => {
    server.on("GET /v1/status", () => {
      void server.stop();
      return new Promise(() => undefined);
    });
    await expect(client.status()).rejects.toMatchObject({
      code: "server-down",
      message: expect.stringContaining("went away"),
    });
  });

  it("gives up after its deadline, and at once when told", async () => {
    server.on("GET /v1/status", () => new Promise(() => undefined));
    await expect(client.status({ timeoutMs: 50 })).rejects.toMatchObject({
      code: "deadline-passed",
      remedy: expect.stringContaining("teal doctor"),
    });
    const reason = new Error("enough");
    const stop = new AbortController();
    const call = client.status({ signal: stop.signal });
    stop.abort(reason);
    await expect(call).rejects.toThrow("enough");
  });

  it("reads log lines, also when one is cut between two packets", async () => {
    const rows = [0, 1, 2].map((n) =>
      JSON.stringify({ at: n, instance: "web/blue/v1/0", text: `line ${String(n)} é` }),
    );
    server.on("GET /v1/services/web/logs", () => ({ json: `${rows.join("\n")}\n`, type: "application/x-ndjson" }));
    const texts: string[] = [];
    for await (const line of client.logs("web", { environment: "blue", lines: 3 })) texts.push(line.text);
    expect(texts).toEqual(["line 0 é", "line 1 é", "line 2 é"]);
    expect(server.asked[0]?.query.get("environment")).toBe("blue");
  });

  it("throws a problem in place of log lines", async () => {
    server.json("GET /v1/services/web/logs", problem("environment-unknown", "no red", 404), 404);
    await expect(client.logs("web").next()).rejects.toMatchObject({ code: "environment-unknown" });
  });
});
