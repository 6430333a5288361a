import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The fault campaign takes minutes: begun first, it does not end long after everything beside it. */
export default class CampaignFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification): boolean => moduleId.includes("/test/campaign/");
    return Promise.resolve(files.toSorted((one, other) => Number(isLong(other)) - Number(isLong(one))));
  }
}
