// A little traffic for the tour: node load.js [requests per second] [address]. Ctrl-C ends it.
// Prints each second who answered, and what went wrong.
const rate = Number(process.argv[2] ?? 100);
const address = process.argv[3] ?? "http://127.0.0.1:8080/";
let seen = {};
const count = (what) => {
  seen[what] = (seen[what] ?? 0) + 1;
};

async function ask() {
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(10_000) });
    const teal = response.headers.get("teal-error");
    const body = await response.json();
    count(teal === null ? `${body.version} ${response.status}` : `Teal says ${teal}`);
  } catch (error) {
    count(`lost (${error.cause?.code ?? error.message})`);
  }
}

setInterval(() => void ask(), 1_000 / rate);
setInterval(() => {
  const parts = Object.entries(seen).toSorted(([a], [b]) => (a < b ? -1 : 1));
  console.log(parts.map(([what, times]) => `${what}: ${times}`).join("   ") || "nothing yet");
  seen = {};
}, 1_000);
