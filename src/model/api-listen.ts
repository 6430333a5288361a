/** Where the API listens over TCP unless teal.yaml says otherwise. */
export const DEFAULT_API_LISTEN = "127.0.0.1:8325";

/** How the API is reached over TCP. */
export interface ApiListen {
  /** Numeric address and port. */
  readonly listen: string;
  /** Names that calls may come by, beside `localhost` and addresses in digits; lower case. */
  readonly hosts: readonly string[];
}
