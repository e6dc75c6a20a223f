const MINUTE = 60_000;

/** Puts the clock of the site, which runs in this process, forward. `jest.restoreAllMocks()` puts it back. */
export function minutesLater(minutes: number): void {
  const now = Date.now.bind(Date);
  const ahead = minutes * MINUTE;
  jest.spyOn(Date, 'now').mockImplementation(() => now() + ahead);
}
