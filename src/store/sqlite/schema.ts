import type { DatabaseSync } from "node:sqlite";
import { beginChain } from "./begin-chain.ts";

/** `PRAGMA application_id`: "Teal" in ASCII. Tells our file from any other SQLite database. */
export const APPLICATION_ID = 0x5465616c;

const V1 = `
CREATE TABLE services (
  service TEXT PRIMARY KEY,
  fence INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  weights TEXT NOT NULL,
  active TEXT,
  standby TEXT
) STRICT;

CREATE TABLE environments (
  service TEXT NOT NULL REFERENCES services,
  name TEXT NOT NULL,
  release TEXT,
  desired TEXT NOT NULL CHECK (desired IN ('running', 'stopped')),
  PRIMARY KEY (service, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE releases (
  service TEXT NOT NULL REFERENCES services,
  id TEXT NOT NULL,
  version TEXT NOT NULL,
  digest TEXT,
  directory TEXT NOT NULL,
  spec TEXT NOT NULL,
  created_at REAL NOT NULL,
  PRIMARY KEY (service, id)
) STRICT;

CREATE TABLE deployments (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  service TEXT NOT NULL REFERENCES services,
  goal TEXT NOT NULL,
  state TEXT NOT NULL,
  from_environment TEXT,
  to_environment TEXT NOT NULL,
  release TEXT,
  version TEXT,
  touched_traffic INTEGER NOT NULL CHECK (touched_traffic IN (0, 1)),
  cause TEXT,
  asked_by TEXT NOT NULL,
  reason TEXT,
  created_at REAL NOT NULL,
  started_at REAL,
  ended_at REAL,
  idempotency_key TEXT
) STRICT;
-- The mutex: one unfinished deployment per service.
CREATE UNIQUE INDEX deployments_unfinished ON deployments (service)
  WHERE state NOT IN ('completed', 'rolled-back', 'aborted', 'failed');
CREATE UNIQUE INDEX deployments_idempotency ON deployments (service, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX deployments_history ON deployments (service, position);

CREATE TABLE plans (
  deployment TEXT PRIMARY KEY REFERENCES deployments (id),
  plan TEXT NOT NULL
) STRICT;

CREATE TABLE steps (
  deployment TEXT NOT NULL REFERENCES deployments (id),
  position INTEGER NOT NULL,
  id TEXT NOT NULL,
  uses TEXT NOT NULL,
  title TEXT NOT NULL,
  input TEXT NOT NULL,
  worst_ms REAL NOT NULL,
  state TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  started_at REAL,
  ended_at REAL,
  progress TEXT NOT NULL,
  result TEXT,
  PRIMARY KEY (deployment, position),
  UNIQUE (deployment, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE retirements (
  service TEXT PRIMARY KEY REFERENCES services,
  environment TEXT NOT NULL,
  release TEXT NOT NULL,
  at REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE receipts (
  service TEXT NOT NULL,
  generation INTEGER NOT NULL,
  deployment TEXT,
  final INTEGER NOT NULL,
  receipt TEXT NOT NULL,
  PRIMARY KEY (service, generation)
) STRICT, WITHOUT ROWID;
CREATE INDEX receipts_deployment ON receipts (deployment, generation);

-- AUTOINCREMENT: a number is never given twice, also when the newest events were removed.
CREATE TABLE events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  at REAL NOT NULL,
  service TEXT,
  deployment TEXT,
  type TEXT NOT NULL,
  step TEXT,
  data TEXT NOT NULL
) STRICT;
CREATE INDEX events_deployment ON events (deployment);
`;

const V2 = `
-- One row per deployment that a person has let pass: the first wins. It may come before the deployment waits for it.
CREATE TABLE approvals (
  deployment TEXT PRIMARY KEY REFERENCES deployments (id),
  given_by TEXT NOT NULL,
  reason TEXT,
  at REAL NOT NULL
) STRICT, WITHOUT ROWID;
-- Null: as many instances as the release says.
ALTER TABLE environments ADD COLUMN count INTEGER CHECK (count > 0);
`;

const V3 = `
-- What was ordered last of a service's maintenance. No row: nothing ever was.
CREATE TABLE maintenance (
  service TEXT PRIMARY KEY REFERENCES services,
  record TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`;

const V4 = `
-- Keys to the API over TCP. Of the secret only its SHA-256 is here, in hexadecimal; services is JSON, null for all.
CREATE TABLE tokens (
  id TEXT PRIMARY KEY,
  hash TEXT NOT NULL,
  name TEXT NOT NULL UNIQUE,
  role TEXT NOT NULL,
  services TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_at REAL NOT NULL,
  expires_at REAL,
  used_at REAL
) STRICT, WITHOUT ROWID;
`;

const V5 = `
-- Rollbacks that became the abort of what was under way, by the key of the request.
CREATE TABLE aborts (
  service TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  deployment TEXT NOT NULL REFERENCES deployments (id),
  PRIMARY KEY (service, idempotency_key)
) STRICT, WITHOUT ROWID;
`;

const V6 = `
-- Traffic of deployments over time, for reports and replays: compressed JSON, some 60 intervals a row.
CREATE TABLE series (
  deployment TEXT NOT NULL REFERENCES deployments (id),
  began_at REAL NOT NULL,
  chunk BLOB NOT NULL,
  PRIMARY KEY (deployment, began_at)
) STRICT;
`;

const V7 = `
-- Times of the commit of a release, of a deployment's first traffic, and of that traffic being back. Null: none, or from
-- before. The deployment keeps its release's, as releases are removed.
ALTER TABLE releases ADD COLUMN committed_at REAL;
ALTER TABLE deployments ADD COLUMN committed_at REAL;
ALTER TABLE deployments ADD COLUMN traffic_at REAL;
ALTER TABLE deployments ADD COLUMN back_at REAL;
CREATE INDEX deployments_ended ON deployments (service, ended_at) WHERE ended_at IS NOT NULL;
`;

const V8 = `
-- Pieces by number and not by the wall clock, which may be set back.
CREATE TABLE numbered_series (
  deployment TEXT NOT NULL REFERENCES deployments (id),
  number INTEGER NOT NULL,
  chunk BLOB NOT NULL,
  PRIMARY KEY (deployment, number)
) STRICT;
INSERT INTO numbered_series (deployment, number, chunk)
  SELECT deployment, row_number() OVER (PARTITION BY deployment ORDER BY began_at) - 1, chunk FROM series;
DROP TABLE series;
ALTER TABLE numbered_series RENAME TO series;
`;

const V9 = `
-- A chain of hashes, so that an event that was changed, removed or put in is found: event-chain.ts says over what. Each row
-- has its own, the head is the newest, and where events were removed with age a gap leads from hash to hash.
ALTER TABLE events ADD COLUMN hash BLOB;
CREATE TABLE event_gaps (
  last INTEGER PRIMARY KEY,
  before BLOB NOT NULL,
  after BLOB NOT NULL
) STRICT;
CREATE TABLE event_head (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  seq INTEGER NOT NULL,
  hash BLOB NOT NULL,
  -- Highest number that had been given when the chain began: those events were hashed as they were found.
  began_after INTEGER NOT NULL
) STRICT;
`;

/** The version from which on events are chained. */
export const CHAINED_SINCE = 9;

/** SQL, or what SQL alone cannot do, within the same transaction. */
export type Migration = string | ((database: DatabaseSync) => void);

/**
 * Element i brings the schema from version i to i + 1 (`PRAGMA user_version`). Only ever append: one that was published
 * is never changed, which the fixtures in `fixtures/` hold it to.
 */
export const MIGRATIONS: readonly Migration[] = [
  V1,
  V2,
  V3,
  V4,
  V5,
  V6,
  V7,
  V8,
  (database) => {
    database.exec(V9);
    beginChain(database);
  },
];
