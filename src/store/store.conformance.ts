import { afterEach, beforeEach, describe } from "vitest";
import { acceptanceConformance } from "./conformance/acceptance.ts";
import { approvalConformance } from "./conformance/approval.ts";
import { changeConformance } from "./conformance/change.ts";
import { claimConformance } from "./conformance/claim.ts";
import { environmentConformance } from "./conformance/environment.ts";
import { eventConformance } from "./conformance/event.ts";
import { historyConformance } from "./conformance/history.ts";
import { maintenanceConformance } from "./conformance/maintenance.ts";
import { outlineConformance } from "./conformance/outline.ts";
import { pruningConformance } from "./conformance/pruning.ts";
import { receiptConformance } from "./conformance/receipt.ts";
import { refusalConformance } from "./conformance/refusal.ts";
import { releaseConformance } from "./conformance/release.ts";
import { retirementConformance } from "./conformance/retirement.ts";
import { seriesConformance } from "./conformance/series.ts";
import { tokenConformance } from "./conformance/token.ts";
import { transitionConformance } from "./conformance/transition.ts";
import type { Store } from "./store.ts";

/** Where a store under test lives: opened, and opened again on the same record as after a restart. */
export interface StoreHome {
  open(): Promise<Store>;
  remove(): Promise<void>;
}

/** What every store does. A store that cannot do one of these says so beside its call, with the reason. */
export function storeConformance(name: string, home: () => Promise<StoreHome>): void {
  describe(`store: ${name}`, () => {
    let place: StoreHome;
    let store: Store;
    beforeEach(async () => {
      place = await home();
      store = await place.open();
    });
    afterEach(async () => {
      await store.close();
      await place.remove();
    });
    const reopen = async (): Promise<void> => {
      await store.close();
      store = await place.open();
    };
    const get = (): Store => store;
    claimConformance(get);
    acceptanceConformance(get, reopen);
    transitionConformance(get, reopen);
    refusalConformance(get);
    releaseConformance(get);
    approvalConformance(get, reopen);
    environmentConformance(get, reopen);
    maintenanceConformance(get, reopen);
    outlineConformance(get);
    historyConformance(get);
    receiptConformance(get, reopen);
    retirementConformance(get);
    changeConformance(get, reopen);
    tokenConformance(get, reopen);
    eventConformance(get);
    seriesConformance(get, reopen);
    pruningConformance(get, reopen);
  });
}
