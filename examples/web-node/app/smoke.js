// The smoke test: Teal runs it against a new release before it gets any traffic. BASE_URL is the release's own address.
import { createHash } from "node:crypto";

const baseUrl = process.env.BASE_URL;
const order = JSON.stringify({ item: "tea", cups: 2 });
const response = await fetch(`${baseUrl}/orders`, {
  method: "POST",
  body: order,
  headers: { "x-request-id": `smoke-${Date.now()}` },
});
const receipt = await response.json();
const expected = createHash("sha256").update(order).digest("hex");

console.log(`ordered: status ${response.status}, receipt ${receipt.digest}`);
if (response.status !== 200 || receipt.digest !== expected) {
  console.error(`the receipt is wrong: expected ${expected}`);
  process.exit(1);
}
