import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { TealConfig } from "../config/config.ts";
import type { Milliseconds } from "../model/time.ts";

export interface UnitOptions {
  /** teal.yaml, absolute. */
  readonly config: string;
  /** Its folder, absolute. */
  readonly folder: string;
  /** The Node binary and the command line's script, absolute. */
  readonly node: string;
  readonly script: string;
  readonly user: string;
  readonly listen: TealConfig["proxy"]["listen"];
  /** Longest time that an orderly stop takes. */
  readonly stopMs: Milliseconds;
}

/** Ports below it are for root, or who has CAP_NET_BIND_SERVICE (capabilities(7)). */
const FIRST_FREE_PORT = 1_024;

/**
 * A unit for systemd (systemd.service(5), systemd.exec(5)). Its main process only watches: the keeper and all else go on when
 * that one dies, and `KillMode=process` leaves them alone.
 */
export function unitFile(options: UnitOptions): string {
  const { config, folder, node, script, user, stopMs } = options;
  const teal = [node, script].map(word).join(" ");
  const at = `--config ${word(config)}`;
  return `# Printed by: teal systemd. Put it at /etc/systemd/system/teal.service, then:
#   systemctl daemon-reload && systemctl enable --now teal
[Unit]
Description=Teal: ${text(config)}
Documentation=${text(readme(script))}
Wants=network-online.target
After=network-online.target time-sync.target
# What keeps Teal from starting, such as a port that is taken, may be gone in a minute: it is tried without end.
StartLimitIntervalSec=0

[Service]
Type=exec
SyslogIdentifier=teal
User=${text(user)}
WorkingDirectory=${text(folder)}
ExecStart=${teal} up --stay ${at}
# Returns when Teal is up, and so does \`systemctl start\`; it fails where that fails.
ExecStartPost=${teal} up --wait-for $MAINPID ${at}
# \`systemctl reload\` after a new package: upgrades what runs, and no request is lost.
ExecReload=${teal} up --detach --yes ${at}
# systemd sends SIGTERM to \`teal up\` alone, which drains and stops the rest. If it is killed, all else goes on.
KillMode=process
# For a reload, too, in which each process may take two minutes.
TimeoutStartSec=360
TimeoutStopSec=${String(Math.ceil(stopMs / 1_000) + 30)}
# It exits 0 after \`teal down\`, and otherwise when Teal has died.
Restart=on-failure
RestartSec=1
# One app that runs out of memory must not end the others.
OOMPolicy=continue
LimitNOFILE=262144
TasksMax=infinity

# These hold for the apps too, as they run in the unit. Folders that they write to, beside this one, belong into
# ReadWritePaths.
ProtectSystem=strict
ProtectHome=read-only
ReadWritePaths=${word(folder)}
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
LockPersonality=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
${capabilities(options)}
[Install]
WantedBy=multi-user.target
`;
}

/** Of the package that the script is of; as a URL it has no blanks, which would begin another one. */
function readme(script: string): string {
  return pathToFileURL(join(dirname(script), "..", "README.md")).href;
}

/** Root may need its own to run apps as other users. */
function capabilities({ user, listen }: UnitOptions): string {
  if (user === "root") return "";
  const low = listen.some((address) => {
    const port = Number(address.slice(address.lastIndexOf(":") + 1));
    return port > 0 && port < FIRST_FREE_PORT;
  });
  const bind = low ? "CAP_NET_BIND_SERVICE" : "";
  return `NoNewPrivileges=yes\nCapabilityBoundingSet=${bind}\n${low ? `AmbientCapabilities=${bind}\n` : ""}`;
}

/** systemd.unit(5), "SPECIFIERS". */
function text(value: string): string {
  return value.replaceAll("%", "%%");
}

/** One word of a list: systemd.syntax(7), "QUOTING", and systemd.service(5), "COMMAND LINES". */
function word(value: string): string {
  const escaped = text(value).replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("$", "$$$$");
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(escaped) ? escaped : `"${escaped}"`;
}
