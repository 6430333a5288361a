import { readFileSync, statSync } from "node:fs";
import { extname, resolve } from "node:path";
import { TealError } from "../model/error.ts";
import type { MaintenancePage } from "../model/maintenance.ts";
import { refuse, scalar, shown } from "./decode.ts";
import type { Loading } from "./loading.ts";
import { unreadable } from "./resolve.ts";
import { noteFile } from "./source-state.ts";

/** Every worker of the proxy keeps it in memory, and its snapshot (4 MiB in all) holds it. */
const LARGEST_PAGE = 256 * 1024;

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".htm": "text/html; charset=utf-8",
  ".txt": "text/plain; charset=utf-8",
  ".json": "application/json",
  ".xml": "application/xml",
};

/** A file that can be served as a maintenance page, as an absolute path. Its contents are read when they are needed. */
export function pageFile(loading: Loading) {
  return scalar({ title: "file", type: "string", minLength: 1 }, (value) => {
    if (typeof value !== "string") return refuse(`must be the path of a file, not ${shown(value)}`);
    if (value.trim() === "" || value.includes("\0")) return refuse("is not a path");
    const path = resolve(loading.directory, value);
    const page = read(path);
    if ("reason" in page) return refuse(`names the file ${path}, which ${page.reason}`);
    noteFile(loading.sources, path, Buffer.from(page.base64, "base64"));
    return path;
  });
}

/** @throws `config-invalid` when the file cannot be served as a page any more */
export function readPage(path: string): MaintenancePage {
  const page = read(path);
  if ("reason" in page) throw new TealError("config-invalid", `the maintenance page ${path} ${page.reason}`);
  return page;
}

function read(path: string): MaintenancePage | { readonly reason: string } {
  const type = TYPES[extname(path).toLowerCase()];
  if (type === undefined) return { reason: `has none of the extensions ${Object.keys(TYPES).join(", ")}` };
  try {
    const found = statSync(path);
    if (!found.isFile()) return { reason: "is not a regular file" };
    if (found.size > LARGEST_PAGE) return { reason: `has more than ${String(LARGEST_PAGE / 1024)} KiB` };
    return { type, base64: readFileSync(path).toString("base64") };
  } catch (thrown) {
    return { reason: unreadable(thrown) };
  }
}
