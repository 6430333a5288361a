import { z } from "zod";
import { TealError } from "../../model/error.ts";
import { ROLES } from "../../model/token.ts";
import type { EpochMilliseconds } from "../../model/time.ts";
import type { StoredToken } from "../store.ts";
import type { Database } from "./database.ts";
import { json } from "./json.ts";

const row: z.ZodType<StoredToken> = z.object({
  id: z.string(),
  hash: z.string(),
  name: z.string(),
  role: z.enum(ROLES),
  services: json(z.array(z.string()).nullable()),
  createdBy: z.string(),
  createdAt: z.number(),
  expiresAt: z.number().nullable(),
  usedAt: z.number().nullable(),
});

const COLUMNS = `id, hash, name, role, services, created_by AS "createdBy", created_at AS "createdAt",
  expires_at AS "expiresAt", used_at AS "usedAt"`;

export function tokens(database: Database): readonly StoredToken[] {
  return database.all(row, `SELECT ${COLUMNS} FROM tokens ORDER BY created_at, id`);
}

/** @throws `token-exists` for a name that another one has */
export function addToken(database: Database, token: StoredToken): void {
  if (tokens(database).some(({ name }) => name === token.name))
    throw new TealError("token-exists", `there is a token ${token.name} already`);
  database.run(
    "INSERT INTO tokens (id, hash, name, role, services, created_by, created_at, expires_at, used_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    token.id,
    token.hash,
    token.name,
    token.role,
    JSON.stringify(token.services),
    token.createdBy,
    token.createdAt,
    token.expiresAt,
    token.usedAt,
  );
}

/** @throws `token-unknown` */
export function removeToken(database: Database, id: string): void {
  if (database.run("DELETE FROM tokens WHERE id = ?", id) === 0)
    throw new TealError("token-unknown", `there is no token ${id}`);
}

export function markTokenUsed(database: Database, id: string, at: EpochMilliseconds): void {
  database.run("UPDATE tokens SET used_at = ? WHERE id = ?", at, id);
}
