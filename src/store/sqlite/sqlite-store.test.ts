import { join } from "node:path";
import { storeConformance } from "../store.conformance.ts";
import { temporaryFolder } from "../temporary.ts";
import { directSqliteStore } from "./direct.ts";

storeConformance("SQLite in this thread", async () => {
  const folder = temporaryFolder();
  return {
    open: async () => directSqliteStore(join(folder.path, "teal.db")),
    remove: async () => {
      folder[Symbol.dispose]();
    },
  };
});
