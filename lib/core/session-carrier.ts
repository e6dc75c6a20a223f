/** What carries a token between a client and the server, as far as the core has to know it. */
export interface SessionCarrier {
  /** What it is, in words that name it, for instance `cookie __Host-session`. Two instances of one application never share it. */
  readonly channel: string;
  /** How long a token may be, in bytes: browsers drop a cookie whose name and value exceed 4096 together. */
  readonly capacity: number;
}
