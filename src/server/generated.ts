import type { Control } from "../engine/control.ts";
import type { Tokens } from "../engine/tokens.ts";
import { createServer } from "./server.ts";
import { apiReference } from "./reference.ts";

/** The OpenAPI document as `GET /v1/openapi.json` answers it, without a server. */
export async function openapiDocument(): Promise<unknown> {
  const app = createServer(nobody, {
    version: "1",
    listeners: async () => [],
    metrics: async () => "",
    reach: async () => ({ address: null, problem: null }),
    tokens: nobody,
  });
  await app.ready();
  const document: unknown = app.swagger();
  await app.close();
  return document;
}

/** Files of the documentation that are made from the API's schemas. */
export async function generated(): Promise<{ path: string; content: string }[]> {
  return [{ path: "docs/api.md", content: apiReference(await openapiDocument()) }];
}

/** Nothing is asked of it: the document needs the calls' shapes alone. */
const nobody = new Proxy(
  {},
  {
    get: () => {
      throw new Error("the document is made without asking the engine");
    },
  },
) as Control & Tokens;
