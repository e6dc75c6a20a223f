const MINUTE = 60_000;

const machine = Date.now;

/** Puts the clock of the site, which runs in this process, forward. `jest.restoreAllMocks()` puts it back. */
export function minutesLater(minutes: number): void {
  const ahead = Date.now() - machine() + minutes * MINUTE;
  jest.spyOn(Date, 'now').mockImplementation(() => machine() + ahead);
}
