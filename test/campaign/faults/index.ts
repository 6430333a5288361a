import { abort } from "./abort.ts";
import { doubleKill } from "./double-kill.ts";
import type { Fault } from "./fault.ts";
import { frozen } from "./frozen.ts";
import { fullDisk } from "./full-disk.ts";
import { kill } from "./kill.ts";
import { hang, pause, proxySilence, silence } from "./pause.ts";
import { powerCut } from "./power-cut.ts";
import { reboot } from "./reboot.ts";
import { restored, restoredMidway } from "./restored.ts";
import { clock } from "./set-clock.ts";
import { slowDisk } from "./slow-disk.ts";
import { tornSnapshot } from "./torn-snapshot.ts";

/** What befalls Teal's own processes, and those of the app. */
export const PROCESS_FAULTS: readonly Fault[] = [kill, doubleKill, pause, hang, silence, proxySilence, abort, frozen];

/** What befalls the machine below them. */
export const MACHINE_FAULTS: readonly Fault[] = [
  reboot,
  powerCut,
  tornSnapshot,
  slowDisk,
  fullDisk,
  clock,
  restored,
  restoredMidway,
];

/** Every kind of fault that befalls real processes. docs/failure-modes.md has a row for each. */
export const FAULTS: readonly Fault[] = [...PROCESS_FAULTS, ...MACHINE_FAULTS];
