import { expect, it } from "vitest";
import { parseWrk } from "./wrk.ts";

const PRINTED = `Running 1m test @ http://127.0.0.1:8080/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     2.64ms    1.02ms  20.01ms   91.35%
    Req/Sec    24.61k     1.89k   27.12k    80.00%
  Latency Distribution
     50%  500.00us
     75%    2.85ms
     90%    3.40ms
     99%    1.25s
  12345 requests in 503.12ms, 4.00MB read
`;

it("reads what wrk prints", () => {
  expect(parseWrk(`${PRINTED}Requests/sec:  24537.25\nTransfer/sec:      7.95MB\n`)).toEqual({
    requests: 12_345,
    requestsPerSecond: 24_537.25,
    p50Ms: 0.5,
    p99Ms: 1_250,
    errors: 0,
  });
});

it("adds up the errors of connections", () => {
  const errors = "  Socket errors: connect 1, read 2, write 3, timeout 4\n";
  expect(parseWrk(`${PRINTED}${errors}Requests/sec:  1.00\n`).errors).toBe(10);
});

it("refuses a run whose answers are not the right ones", () => {
  const wrong = "  Non-2xx or 3xx responses: 7\n";
  expect(() => parseWrk(`${PRINTED}${wrong}Requests/sec:  1.00\n`)).toThrow("7 of 12345 answers");
});

it("says what wrk said when it failed", () => {
  expect(() => parseWrk("", "unable to connect")).toThrow("wrk failed: unable to connect");
});
