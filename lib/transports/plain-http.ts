import type { Connection } from './session-transport';

/** Hosts for which browsers accept a `Secure` cookie over plain HTTP. */
const LOOPBACK = /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;

/** Whether a token would travel unencrypted over a network. */
export function isPlainHttp({ secure, host }: Connection): boolean {
  return !secure && !LOOPBACK.test(host ?? '');
}

export const USE_HTTPS =
  "Use HTTPS; behind a proxy that ends TLS, let the framework trust the proxy (Express: app.set('trust proxy', …), Fastify: trustProxy).";
