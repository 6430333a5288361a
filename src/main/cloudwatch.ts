import { CloudWatchClient, GetMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import type { CloudWatchSdk } from "../drivers/metrics/cloudwatch/sdk.ts";

/**
 * A bundle of its own, which the server loads when it first reads a metric of CloudWatch. Region, credentials and endpoint
 * come from where the SDK looks for them: `AWS_…` variables, the shared files, the instance's role. It tries once: the next
 * reading is the next try.
 */
export const cloudWatchSdk: CloudWatchSdk = {
  connect(region) {
    const client = new CloudWatchClient({ maxAttempts: 1, ...(region === undefined ? {} : { region }) });
    return {
      getMetricData: (input, signal) => client.send(new GetMetricDataCommand(input), { abortSignal: signal }),
    };
  },
};
