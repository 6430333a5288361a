/** As much of a question to GetMetricData as is asked (CloudWatch API reference, 2010-08-01). */
export interface MetricDataInput {
  readonly MetricDataQueries: {
    readonly Id: string;
    readonly MetricStat: {
      readonly Metric: {
        readonly Namespace: string;
        readonly MetricName: string;
        readonly Dimensions: { readonly Name: string; readonly Value: string }[];
      };
      readonly Period: number;
      readonly Stat: string;
    };
    readonly ReturnData: true;
  }[];
  readonly StartTime: Date;
  readonly EndTime: Date;
  readonly ScanBy: "TimestampDescending";
}

/** As much of its answer as is read. */
export interface MetricDataOutput {
  readonly MetricDataResults?:
    | readonly {
        readonly Timestamps?: readonly Date[] | undefined;
        readonly Values?: readonly number[] | undefined;
        readonly StatusCode?: string | undefined;
      }[]
    | undefined;
}

export interface CloudWatchCalls {
  getMetricData(input: MetricDataInput, signal: AbortSignal): Promise<MetricDataOutput>;
}

/** The AWS SDK, behind what is needed of it. It is large, so it is loaded when a metric of CloudWatch is first read. */
export interface CloudWatchSdk {
  connect(region: string | undefined): CloudWatchCalls;
}
