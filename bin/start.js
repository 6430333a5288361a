import { existsSync } from "node:fs";

// A checkout runs from its sources, so that an old build in dist/ is never what answers; the package carries only dist/.
const sources = new URL("../src/main/cli.ts", import.meta.url);
await import(existsSync(sources) ? sources.href : new URL("../dist/main/cli.js", import.meta.url).href);
