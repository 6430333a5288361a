/** How one kind of error leaves the program, and what a person can do about it. */
export interface ErrorEntry {
  /** Exit code of the CLI (CONTRACTS, "CLI"). */
  readonly exit: 1 | 2 | 3 | 4 | 5 | 6 | 7;
  /** Status of the API's problem+json. */
  readonly status: number;
  /** Whether trying the same again, unchanged, can succeed. */
  readonly retryable: boolean;
  readonly title: string;
  readonly remedy: string;
}

/**
 * Every error that a person or a pipeline can meet: the one table for CLI, API, events and docs. A code is never reused
 * for another meaning. Kept in `model` because every layer raises these.
 */
export const CATALOGUE = {
  internal: {
    exit: 1,
    status: 500,
    retryable: false,
    title: "Something unexpected went wrong",
    remedy: "See the log of the process in .teal/logs and report it with the message above.",
  },
  usage: {
    exit: 2,
    status: 400,
    retryable: false,
    title: "The command was not understood",
    remedy: "Run it again with --help to see what it takes.",
  },
  "config-invalid": {
    exit: 2,
    status: 422,
    retryable: false,
    title: "teal.yaml has problems",
    remedy: "Mend each place named above; `teal check` looks again.",
  },
  "config-missing": {
    exit: 2,
    status: 422,
    retryable: false,
    title: "teal.yaml was not found",
    remedy: "Run the command where teal.yaml is, or name it with --config.",
  },
  "secret-missing": {
    exit: 2,
    status: 422,
    retryable: false,
    title: "A referenced environment variable or file is missing",
    remedy: "Set the variable, or create the file, and run the command again.",
  },
  "request-invalid": {
    exit: 2,
    status: 400,
    retryable: false,
    title: "The request was not understood",
    remedy: "See GET /v1/openapi.json for what this call takes.",
  },
  "service-unknown": {
    exit: 2,
    status: 404,
    retryable: false,
    title: "There is no such service",
    remedy: "Use one of the services in teal.yaml; `teal status` lists them.",
  },
  "environment-unknown": {
    exit: 2,
    status: 404,
    retryable: false,
    title: "There is no such environment",
    remedy: "`teal env list` shows the environments.",
  },
  "deployment-unknown": {
    exit: 2,
    status: 404,
    retryable: false,
    title: "There is no such deployment",
    remedy: "`teal history` lists deployments.",
  },
  "not-found": {
    exit: 2,
    status: 404,
    retryable: false,
    title: "There is nothing at this address",
    remedy: "See GET /v1/openapi.json for the calls there are.",
  },
  unsupported: {
    exit: 2,
    status: 422,
    retryable: false,
    title: "This version of Teal cannot do that",
    remedy: "Take the setting out of teal.yaml, or use a version of Teal that has it.",
  },
  "server-down": {
    exit: 1,
    status: 503,
    retryable: true,
    title: "Teal is not running here",
    remedy: "Start it with `teal up --detach`.",
  },
  "server-locked": {
    exit: 1,
    status: 409,
    retryable: false,
    title: "Another server owns this state directory",
    remedy: "Use the one that runs, or stop it with `teal down`.",
  },
  "state-directory": {
    exit: 1,
    status: 500,
    retryable: false,
    title: "The state directory cannot be used",
    remedy: "Use a local disk that this user can write to.",
  },
  "port-taken": {
    exit: 1,
    status: 409,
    retryable: true,
    title: "A listening address is taken",
    remedy: "Stop what listens there, or change proxy.listen in teal.yaml.",
  },
  "protocol-mismatch": {
    exit: 1,
    status: 500,
    retryable: false,
    title: "Two parts of Teal of different versions cannot talk",
    remedy: "Run `teal down` and `teal up` to start all parts from one version.",
  },
  "upgrade-failed": {
    exit: 1,
    status: 500,
    retryable: true,
    title: "Teal could not be upgraded to this version",
    remedy: "What ran before goes on. See the logs in .teal/logs, and run `teal up --yes` again.",
  },
  "older-version": {
    exit: 6,
    status: 409,
    retryable: false,
    title: "A newer version of Teal runs here",
    remedy:
      "Use that version or a newer one; `teal up --yes --force` goes back to this one where its store can be read.",
  },
  "deployment-running": {
    exit: 6,
    status: 409,
    retryable: true,
    title: "A deployment of this service is under way",
    remedy: "Wait for it, or abort it with `teal abort`; `teal deploy --supersede` takes its place.",
  },
  "deployment-ended": {
    exit: 6,
    status: 409,
    retryable: false,
    title: "The deployment has already ended",
    remedy: "`teal status` shows what is active.",
  },
  "nothing-to-abort": {
    exit: 6,
    status: 409,
    retryable: false,
    title: "No deployment is under way",
    remedy: "`teal rollback` returns to the release before.",
  },
  "nothing-to-approve": {
    exit: 6,
    status: 409,
    retryable: false,
    title: "No deployment waits for an approval",
    remedy: "`teal status` shows what is under way; deploy.approval in teal.yaml sets the gate.",
  },
  "nothing-to-resume": {
    exit: 6,
    status: 409,
    retryable: false,
    title: "Nothing is held up that could be resumed",
    remedy: "`teal status` shows what is under way; an approval is given with `teal approve`.",
  },
  "nothing-to-roll-back-to": {
    exit: 6,
    status: 409,
    retryable: false,
    title: "There is no earlier release to go back to",
    remedy: "Deploy a good version with `teal deploy --version V`.",
  },
  "no-release": {
    exit: 6,
    status: 409,
    retryable: false,
    title: "The environment has no release",
    remedy: "Deploy one with `teal deploy --version V`.",
  },
  "already-active": {
    exit: 6,
    status: 409,
    retryable: false,
    title: "That environment is already active",
    remedy: "`teal status` shows which environment is active.",
  },
  unhealthy: {
    exit: 6,
    status: 409,
    retryable: true,
    title: "The environment is not healthy, so it gets no traffic",
    remedy: "See `teal env list` and `teal logs ENV` for why.",
  },
  drift: {
    exit: 6,
    status: 409,
    retryable: false,
    title: "The live split is not the one that Teal set",
    remedy: "See the difference in `teal status`; `teal switch --to ENV` overwrites it.",
  },
  fenced: {
    exit: 6,
    status: 409,
    retryable: false,
    title: "A newer controller has claimed this service",
    remedy: "Nothing to do: the newer one goes on.",
  },
  latched: {
    exit: 6,
    status: 409,
    retryable: false,
    title: "The deployment was reverted at the data plane",
    remedy: "Deploy again; a reverted deployment never gets traffic again.",
  },
  "still-has-traffic": {
    exit: 6,
    status: 409,
    retryable: true,
    title: "The environment still has traffic",
    remedy: "Switch to the other environment first, and wait for it to drain.",
  },
  "rollback-target": {
    exit: 6,
    status: 409,
    retryable: false,
    title: "The environment is what a rollback would need",
    remedy: "Finish or abort the deployment first.",
  },
  "release-missing": {
    exit: 1,
    status: 409,
    retryable: false,
    title: "The files of a release are gone",
    remedy: "Deploy the version again; its folder is unpacked anew.",
  },
  "release-source": {
    exit: 1,
    status: 422,
    retryable: false,
    title: "The release could not be read from its source",
    remedy: "See release: in teal.yaml; for git, the version must be a tag, branch or commit.",
  },
  "command-not-found": {
    exit: 1,
    status: 422,
    retryable: false,
    title: "The command could not be started",
    remedy: "See environment.command in teal.yaml; it runs in the release's folder, with PATH alone.",
  },
  "user-unknown": {
    exit: 1,
    status: 422,
    retryable: false,
    title: "The app cannot be run as the user that it names",
    remedy: "Create the user, or mend environment.user in teal.yaml; only a Teal that runs as root can use another.",
  },
  "crash-loop": {
    exit: 1,
    status: 409,
    retryable: false,
    title: "An instance keeps ending by itself",
    remedy: "See `teal logs ENV` for its last words.",
  },
  "not-healthy": {
    exit: 1,
    status: 409,
    retryable: false,
    title: "The new environment did not become healthy in time",
    remedy: "See `teal logs ENV`, and health: in teal.yaml.",
  },
  "port-stranger": {
    exit: 1,
    status: 409,
    retryable: true,
    title: "Another process answers on the instance's port",
    remedy: "The app must listen on $PORT itself; end the other process.",
  },
  "validation-failed": {
    exit: 1,
    status: 409,
    retryable: false,
    title: "Validation of the new environment failed",
    remedy: "See the output above and `teal logs ENV`; nothing has been switched.",
  },
  "evidence-lacking": {
    exit: 3,
    status: 409,
    retryable: false,
    title: "Nothing shows that the release is as good as the old one",
    remedy: "The old release has the traffic again. Wait longer (deploy.maxWait), or advance on time (deploy.advance).",
  },
  "guardrail-breached": {
    exit: 3,
    status: 409,
    retryable: false,
    title: "A guardrail was breached",
    remedy: "The old release has the traffic again; see `teal events` for the numbers.",
  },
  "controller-loss": {
    exit: 3,
    status: 409,
    retryable: false,
    title: "The data plane reverted by itself while the control plane was silent",
    remedy: "See `teal events`; deploy again when the control plane is well.",
  },
  "approval-expired": {
    exit: 3,
    status: 409,
    retryable: false,
    title: "Nobody approved the deployment in time",
    remedy: "Deploy again, and approve it with `teal approve` when it waits.",
  },
  aborted: {
    exit: 4,
    status: 409,
    retryable: false,
    title: "A person aborted the deployment",
    remedy: "Deploy again when ready.",
  },
  "deadline-passed": {
    exit: 1,
    status: 504,
    retryable: true,
    title: "A step took longer than its deadline",
    remedy: "See `teal events` for which, and its deadline in teal.yaml.",
  },
  "data-plane-down": {
    exit: 1,
    status: 503,
    retryable: true,
    title: "The proxy does not answer",
    remedy: "The keeper starts it again by itself; see .teal/logs/proxy.log.",
  },
  "keeper-down": {
    exit: 1,
    status: 503,
    retryable: true,
    title: "The keeper does not answer",
    remedy: "The proxy starts it again by itself; otherwise run `teal up --detach`.",
  },
  "store-failed": {
    exit: 1,
    status: 500,
    retryable: true,
    title: "The store could not be read or written",
    remedy: "See the disk of the state directory: space, permissions, health.",
  },
  forbidden: {
    exit: 7,
    status: 403,
    retryable: false,
    title: "No permission",
    remedy: "Ask somebody with the role that this needs.",
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof CATALOGUE;

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(CATALOGUE, code);
}
