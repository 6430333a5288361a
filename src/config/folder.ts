import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { refuse, scalar, shown } from "./decode.ts";
import type { Loading } from "./loading.ts";
import { readSmallFile, sha256, unreadable } from "./resolve.ts";
import { noteFile, noteFolder } from "./source-state.ts";

/** A folder that is there, as an absolute path. */
export function folder(loading: Loading) {
  return scalar({ title: "folder", type: "string", minLength: 1 }, async (value) => {
    if (typeof value !== "string") return refuse(`must be the path of a folder, not ${shown(value)}`);
    if (value.trim() === "" || value.includes("\0")) return refuse("is not a path");
    if (/^[a-z][a-z0-9+.-]*:\/\/|^[^/]+@[^/]+:/i.test(value)) {
      return refuse(
        `is ${shown(value.replace(/\/\/.*@/, "//"))}; only a folder of this machine can be named: clone it first`,
      );
    }
    const path = resolve(loading.directory, value);
    try {
      if (!(await stat(path)).isDirectory()) return refuse(`names ${path}, which is not a folder`);
      noteFolder(loading.sources, path);
      return path;
    } catch (thrown) {
      return refuse(`names the folder ${path}, which ${unreadable(thrown)}`);
    }
  });
}

/** A file of NAME=value lines that is there, as an absolute path with the SHA-256 of its contents. */
export function environmentFile(loading: Loading) {
  return scalar({ title: "file", type: "string", minLength: 1 }, (value) => {
    if (typeof value !== "string") return refuse(`must be the path of a file, not ${shown(value)}`);
    if (value.trim() === "" || value.includes("\0")) return refuse("is not a path");
    const path = resolve(loading.directory, value);
    const contents = readSmallFile(path);
    if (typeof contents !== "string") return refuse(`names the file ${path}, which ${contents.reason}`);
    noteFile(loading.sources, path, contents);
    return { path, hash: sha256(contents) };
  });
}

/** A path inside a repository: relative, and never out of it. */
export const insidePath = scalar({ title: "path", type: "string", minLength: 1 }, (value) => {
  if (typeof value !== "string" || value.trim() === "" || value.includes("\0"))
    return refuse(`is ${shown(value)}, not a path`);
  const segments = value.split("/").filter((segment) => segment !== "" && segment !== ".");
  if (value.startsWith("/") || segments.includes(".."))
    return refuse(`is ${shown(value)}; it must be relative to the repository and stay inside it`);
  return segments.length === 0 ? "." : segments.join("/");
});
