import { bundle } from "./lib/bundle.ts";

// Brings dist/runtime up to date with the sources; says something only when it had to work.
const built = await bundle();
if (built !== null) console.error(`bundles: ${built.version} (${built.files.join(", ")})`);
