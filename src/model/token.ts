import type { EpochMilliseconds } from "./time.ts";

/**
 * What a token may do. viewer: read. deployer: also deploy, switch, abort, and all else that changes a service. approver: read,
 * approve and abort, but not deploy. admin: everything, tokens included.
 */
export const ROLES = ["viewer", "deployer", "approver", "admin"] as const;
export type Role = (typeof ROLES)[number];

export const PERMISSIONS = ["read", "deploy", "approve", "abort", "administer"] as const;
/** What a call needs of who asks. */
export type Permission = (typeof PERMISSIONS)[number];

const GRANTS: Readonly<Record<Role, readonly Permission[]>> = {
  viewer: ["read"],
  deployer: ["read", "deploy", "abort"],
  approver: ["read", "approve", "abort"],
  admin: ["read", "deploy", "approve", "abort", "administer"],
};

/** A key to the API over TCP. Its secret is shown once, and known here by a hash alone. */
export interface Token {
  readonly id: string;
  /** Given by a person; no two tokens have the same. */
  readonly name: string;
  readonly role: Role;
  /** Null: all, also those to come. */
  readonly services: readonly string[] | null;
  readonly createdBy: string;
  readonly createdAt: EpochMilliseconds;
  /** Null: never. */
  readonly expiresAt: EpochMilliseconds | null;
  /** Exact to a minute; null: never used. */
  readonly usedAt: EpochMilliseconds | null;
}

/** Whether a token still opens anything. */
export function isUsable({ expiresAt }: Pick<Token, "expiresAt">, now: EpochMilliseconds): boolean {
  return expiresAt === null || now < expiresAt;
}

export function grants(role: Role, permission: Permission): boolean {
  return GRANTS[role].includes(permission);
}

/** Whether it may be told of, or act on, this service; null is what belongs to no service. */
export function covers({ services }: Pick<Token, "services">, service: string | null): boolean {
  return services === null || (service !== null && services.includes(service));
}
