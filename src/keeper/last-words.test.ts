import { expect, test } from "vitest";
import { lastWords } from "./last-words.ts";

const CASES: readonly (readonly [name: string, printed: string, words: string | null])[] = [
  ["nothing", "", null],
  ["one line", "so long", "so long"],
  ["an empty line at the end", "so long\n\n", "so long"],
  [
    "a throw in Node",
    `started
/app/server.js:3
  throw new Error("no database");
  ^

Error: no database
    at connect (/app/server.js:3:9)
    at node:internal/main/run_main_module:36:49 {
  code: 'MODULE_NOT_FOUND',
  requireStack: [ '/app/server.js' ]
}

Node.js v26.10.0`,
    "Error: no database",
  ],
  [
    "its cause, which is not the error itself",
    `Error: db
    at [eval]:1:21
    ... 5 lines matching cause stack trace ...
  [cause]: TypeError: inner
      at [eval]:1:54
}

Node.js v26.10.0`,
    "Error: db",
  ],
  [
    "a rejection that nobody handles",
    `node:internal/process/promises:322
      new UnhandledPromiseRejection(reason);
      ^

UnhandledPromiseRejection: This error originated by throwing inside of an async function.
    at processPromiseRejections (node:internal/process/promises:405:17) {
  code: 'ERR_UNHANDLED_REJECTION'
}

Node.js v26.10.0`,
    "UnhandledPromiseRejection: This error originated by throwing inside of an async function.",
  ],
  [
    "a code in brackets",
    `TypeError [ERR_UNKNOWN_FILE_EXTENSION]: Unknown file extension ".ts" for /app/a.ts
    at Object.getFileProtocolModuleFormat [as file:] (node:internal/modules/esm/get_format:189:9) {
  code: 'ERR_UNKNOWN_FILE_EXTENSION'
}

Node.js v20.20.2`,
    'TypeError [ERR_UNKNOWN_FILE_EXTENSION]: Unknown file extension ".ts" for /app/a.ts',
  ],
  [
    "a traceback of Python",
    `Traceback (most recent call last):
  File "app.py", line 4, in <module>
    f()
  File "app.py", line 3, in f
    raise ValueError("bad")
ValueError: bad`,
    "ValueError: bad",
  ],
  [
    "a chain of Python, whose last one counts",
    `ZeroDivisionError: division by zero

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "app.py", line 5, in <module>
    raise RuntimeError("outer")
RuntimeError: outer`,
    "RuntimeError: outer",
  ],
  [
    "an error with its module",
    "Traceback …\npsycopg2.OperationalError: no server",
    "psycopg2.OperationalError: no server",
  ],
  [
    "a panic of Go",
    "panic: no config\n\ngoroutine 1 [running]:\nmain.main()\n\t/app/main.go:4 +0x2c\nexit status 2",
    "panic: no config",
  ],
  ["a word of an error in the middle", "2026-01-01 [error] cannot listen\nbye", "2026-01-01 [error] cannot listen"],
  ["sys.exit with a word", "no config", "no config"],
  ["only noise", "    at a (b.js:1:2)\nNode.js v24.1.0", "Node.js v24.1.0"],
  ["what only begins like a frame", "at last it ended", "at last it ended"],
];

test.each(CASES)("%s", (_name, printed, words) => {
  expect(lastWords(printed.split("\n"))).toBe(words);
});
