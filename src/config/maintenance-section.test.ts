import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ConfigFolder, service } from "./fixtures.ts";
import { readPage } from "./page.ts";

describe("traffic.maintenance", () => {
  it("is left out where it is not written, and has defaults where it is", async () => {
    using folder = new ConfigFolder();
    const traffic = async (...lines: string[]) => (await folder.load(service(...lines))).services["web"]?.traffic;
    expect(await traffic()).not.toHaveProperty("maintenance");
    expect((await traffic("traffic: { maintenance: {} }"))?.maintenance).toEqual({
      page: null,
      status: 503,
      retryAfterMs: 60_000,
      allow: [],
      hold: { deadlineMs: 30_000, most: 1_000, longestMs: 300_000, endsIn: "off" },
    });
  });

  it("takes every key", async () => {
    using folder = new ConfigFolder({ "pages/down.html": "<h1>Down</h1>" });
    const text = service(
      "traffic:",
      "  maintenance:",
      "    page: pages/down.html",
      "    status: 429",
      "    retryAfter: 5m",
      '    allow: [10.0.0.0/8, 192.0.2.7, "2001:db8::/32", "::1"]',
      "    hold: { deadline: 500ms, most: 20, longest: 10m, endsIn: on }",
    );
    const page = join(folder.path, "pages/down.html");
    expect((await folder.load(text)).services["web"]?.traffic.maintenance).toEqual({
      page,
      status: 429,
      retryAfterMs: 300_000,
      allow: ["10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "::1"],
      hold: { deadlineMs: 500, most: 20, longestMs: 600_000, endsIn: "on" },
    });
    expect(readPage(page)).toEqual({
      type: "text/html; charset=utf-8",
      base64: Buffer.from("<h1>Down</h1>").toString("base64"),
    });
  });

  it.each([
    ["page: ./none.html", "page", "does not exist"],
    ["page: ./page.exe", "page", "none of the extensions .html"],
    ["page: ./folder.html", "page", "not a regular file"],
    ["page: ./large.html", "page", "more than 256 KiB"],
    ["page: 7", "page", "path of a file"],
    ["status: 200", "status", "outside 400 to 599"],
    ["retryAfter: 60", "retryAfter", "without a unit"],
    ["allow: [10.0.0.0/33]", "allow[0]", "at most 32 bits"],
    ["allow: [10.0.0.0/8, example.com]", "allow[1]", "an address or a network"],
    ['allow: ["fe80::1%eth0"]', "allow[0]", "an address or a network"],
    ["allow: [10.0.0.1/8/8]", "allow[0]", "an address or a network"],
    ["allow: [10.0.0.1, 10.0.0.1]", "allow[1]", "twice"],
    ["hold: { endsIn: hold }", "hold.endsIn", "off, on"],
    ["hold: { most: 0 }", "hold.most", "outside 1"],
    ["hold: { deadine: 3s }", "hold.deadine", "deadline"],
  ])("%s is refused at %s", async (line, path, message) => {
    using folder = new ConfigFolder({
      "page.exe": "x",
      "folder.html/x": "x",
      "large.html": "x".repeat(256 * 1024 + 1),
    });
    const { problems } = await folder.refused(service(`traffic: { maintenance: { ${line} } }`));
    expect(problems).toMatchObject([
      { path: `services.web.traffic.maintenance.${path}`, message: expect.stringContaining(message) },
    ]);
  });

  it("a page that has gone since cannot be read", () => {
    expect(() => readPage("/nowhere/page.html")).toThrow("/nowhere/page.html does not exist");
  });
});
