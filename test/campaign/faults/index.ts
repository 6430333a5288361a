import type { Fault } from "./fault.ts";
import { kill } from "./kill.ts";
import { hang, pause, silence } from "./pause.ts";
import { powerCut } from "./power-cut.ts";
import { reboot } from "./reboot.ts";
import { restored } from "./restored.ts";
import { slowDisk } from "./slow-disk.ts";

/** Every kind of fault that befalls real processes. docs/failure-modes.md has a row for each. */
export const FAULTS: readonly Fault[] = [kill, pause, hang, silence, reboot, powerCut, slowDisk, restored];
