/** Names of the built-in drivers, without their code: for checking teal.yaml. The registry is tested against them. */
export const DRIVER_NAMES = {
  environmentDrivers: ["process"],
  trafficDrivers: ["embedded"],
  metricsDrivers: ["prometheus", "cloudwatch", "http"],
} as const;
