import { campaignTests } from "./campaign-test.ts";
import { MACHINE_FAULTS } from "./faults/index.ts";

campaignTests(MACHINE_FAULTS);
