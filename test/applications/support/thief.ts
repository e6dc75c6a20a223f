import type { App } from '../../support/app';
import { visitor, type Visitor } from '../../support/visitor';

/** A browser that has somebody's token from before. */
export async function thiefOf(
  app: App,
  token: string | undefined,
  cookie = '__Host-session',
): Promise<Visitor> {
  const thief = await visitor(app);
  await thief.jar.setCookie(`${cookie}=${token}; Secure; Path=/`, 'https://127.0.0.1');
  return thief;
}
