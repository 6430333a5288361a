import { sampleAcceptance, sampleTransition } from "../samples.ts";
import { SqliteStore } from "./sqlite-store.ts";

// Run by the crash test as a process of its own: transitions without end, and on stdout what has been committed.
const store = new SqliteStore(process.argv[2] ?? "");
const { fence, generation } = store.claim("web", 0);
if (generation === 0) {
  store.accept(sampleAcceptance("dep_1"));
  store.transition({ service: "web", fence, at: 0, deployment: { id: "dep_1", state: "running" }, events: [] });
}
for (let n = generation + 1; ; n++) {
  const [event] = store.transition(sampleTransition(fence, n));
  process.stdout.write(`${String(n)} ${String(event?.seq)}\n`);
}
