import { campaignTests } from "./campaign-test.ts";
import { PROCESS_FAULTS } from "./faults/index.ts";

campaignTests(PROCESS_FAULTS);
