import { resolve } from 'node:path';

/** What may be set from outside, with what holds when nothing is. Read when it is asked for: tests set their own. */
export const settings = {
  get port(): number {
    return Number(process.env['PORT'] ?? 3000);
  },
  /** Set it to 0.0.0.0 in a container, and put something in front that speaks HTTPS: the session cookie is `Secure`. */
  get host(): string {
    return process.env['HOST'] ?? 'localhost';
  },
  /** Users and sessions are in this one file. */
  get database(): string {
    return process.env['SITE_DATABASE'] ?? resolve(__dirname, '..', 'site.sqlite');
  },
};
