import { problem } from "../api/answers.ts";
import { isErrorCode } from "../model/catalogue.ts";
import { TealError } from "../model/error.ts";
import { parseJson } from "./shape.ts";

/**
 * An answer that is not 2xx, as the error that the server raised (RFC 9457). A code that this build does not know, from a
 * newer server, becomes `internal` and keeps its message and remedy.
 */
export function problemError(status: number, body: string): TealError {
  const read = problem.safeParse(parseJson(body));
  if (!read.success) {
    return new TealError("internal", `the server answered ${String(status)}: ${body.slice(0, 200) || "nothing"}`);
  }
  const { code, detail, remedy, problems } = read.data;
  return new TealError(isErrorCode(code) ? code : "internal", detail, { remedy, problems });
}
