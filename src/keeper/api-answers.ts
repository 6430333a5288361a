import { get } from "node:http";
import type { Milliseconds } from "../model/time.ts";

const ANSWER_MS: Milliseconds = 2_000;

/** Whether a server answers `GET /healthz` on its socket now. */
export function apiAnswers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ socketPath, path: "/healthz", agent: false, timeout: ANSWER_MS }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on("timeout", () => request.destroy());
    // Nobody listens yet, or the process has just ended: both are "no", and it is asked again.
    request.on("error", () => {
      resolve(false);
    });
  });
}
