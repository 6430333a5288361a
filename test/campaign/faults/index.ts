import { doubleKill } from "./double-kill.ts";
import type { Fault } from "./fault.ts";
import { fullDisk } from "./full-disk.ts";
import { kill } from "./kill.ts";
import { hang, pause, proxySilence, silence } from "./pause.ts";
import { powerCut } from "./power-cut.ts";
import { reboot } from "./reboot.ts";
import { restored, restoredMidway } from "./restored.ts";
import { clock } from "./set-clock.ts";
import { slowDisk } from "./slow-disk.ts";
import { tornSnapshot } from "./torn-snapshot.ts";

/** Every kind of fault that befalls real processes. docs/failure-modes.md has a row for each. */
export const FAULTS: readonly Fault[] = [
  kill,
  doubleKill,
  pause,
  hang,
  silence,
  proxySilence,
  reboot,
  powerCut,
  tornSnapshot,
  slowDisk,
  fullDisk,
  clock,
  restored,
  restoredMidway,
];
