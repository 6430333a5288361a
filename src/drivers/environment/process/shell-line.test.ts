import { describe, expect, test } from "vitest";
import { shellLineProblem } from "./shell-line.ts";

describe("a command that is one text", () => {
  test.each([
    ["npm run build && node server.js", "`&&`"],
    ["node a.js || node b.js", "`||`"],
    ["cd app; node server.js", "`;`"],
    ["node server.js | tee log", "`|`"],
    ["node server.js &", "`&`"],
    ["node server.js\nnode other.js", "the line break"],
    ["node \"a b\" 'c' && x", "`&&`"],
    ["node server.js 2>&1 | tee log", "`|`"],
    ["DEBUG=1 node server.js", "env DEBUG=… program"],
  ])("%j is cautioned of", (command, about) => {
    expect(shellLineProblem(command)).toContain(about);
  });

  test.each([
    "node server.js --port $PORT",
    "sh -c 'a && b; c | d &'",
    'sh -c "a && \\"b\\" || c"',
    "node server.js 2>&1",
    "node server.js >log 2>&1 <&-",
    "node server.js >|log",
    "node x.js a\\;b a\\&b",
    "node x.js $(cat a | head -1) `cat b; cat c` ${D:-x;y}",
    "node x.js $(cat (a) | b)",
    "node x.js # and; so | on",
    "env DEBUG=1 node server.js",
    "node server.js A=1",
    "node server.js\n",
  ])("%j is not", (command) => {
    expect(shellLineProblem(command)).toBeNull();
  });
});

test("a list runs as it is", () => {
  expect(shellLineProblem(["sh", "-c", "a && b"])).toBeNull();
});
