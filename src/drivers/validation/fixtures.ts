import { createServer, type RequestListener } from "node:http";

/** An HTTP server on a free port; closed with `await using`. */
export async function serve(
  listener: RequestListener,
): Promise<{ readonly baseUrl: string; readonly [Symbol.asyncDispose]: () => Promise<void> }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    baseUrl: `http://127.0.0.1:${String(port)}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
