// Users for the tour: node load.js [users] [address] [seconds between two visits of one]. Ctrl-C ends it.
// Each has a session of its own. Who finds no products stays away for a minute. Prints each second who answered.
const users = Number(process.argv[2] ?? 600);
const address = process.argv[3] ?? "http://127.0.0.1:8080/";
const pauseMs = Number(process.argv[4] ?? 5) * 1_000;
const AWAY_MS = 60_000;
let seen = {};
const count = (what) => {
  seen[what] = (seen[what] ?? 0) + 1;
};

/** How long this user stays away then. */
async function visit(session) {
  try {
    const headers = { cookie: `session=${session}` };
    const response = await fetch(address, { headers, signal: AbortSignal.timeout(10_000) });
    const teal = response.headers.get("teal-error");
    const { version, products } = await response.json();
    count(teal === null ? `${version} ${response.status}` : `Teal says ${teal}`);
    return products?.length === 0 ? AWAY_MS : pauseMs;
  } catch (error) {
    count(`lost (${error.cause?.code ?? error.message})`);
    return pauseMs;
  }
}

async function comeAndGo(session) {
  const pause = await visit(session);
  setTimeout(comeAndGo, pause * (0.5 + Math.random()), session);
}

for (let i = 0; i < users; i += 1) setTimeout(comeAndGo, Math.random() * pauseMs, `user-${i}`);
setInterval(() => {
  const parts = Object.entries(seen).toSorted(([a], [b]) => (a < b ? -1 : 1));
  console.log(parts.map(([what, times]) => `${what}: ${times}`).join("   ") || "nothing yet");
  seen = {};
}, 1_000);
