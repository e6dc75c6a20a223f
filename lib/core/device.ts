/** The client that logged in, for a list of a principal's sessions. It comes from the client, so it proves nothing. */
export interface Device {
  /** A name to show, such as `Firefox on Windows`. At most 512 characters. */
  readonly label: string;
  /** The client's address at the login, as the framework trusts its proxies; `null` when it is not recorded. */
  readonly address: string | null;
}
