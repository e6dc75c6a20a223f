import { APP_GUARD } from '@nestjs/core';
import { CsrfGuard } from 'nestjs-tessera';
import type { App } from '../support/app';
import { exchange, valuesOf, type Exchange } from './exchange';

export const HOST = 'example.com';
export const TRUSTED = 'https://trusted.example';
export const ATTACKER = 'https://attacker.example';
/** The guard for the whole application. */
export const everywhere = { provide: APP_GUARD, useClass: CsrfGuard };

/** What a client sends of where it comes from. */
export interface Sent {
  readonly method?: string;
  readonly site?: string;
  readonly origin?: string;
  readonly headers?: Record<string, string>;
  /** Whether the client sends the cookie of a session. */
  readonly cookie?: boolean;
}

type Row = Sent & { readonly passes: boolean };

/** Rows of a table with what they show, in words. */
export function titled(rows: readonly Row[]): { title: string; sent: Sent; passes: boolean }[] {
  return rows.map(({ passes, ...sent }) => {
    const { method = 'POST', site = 'absent', origin = 'absent', cookie, headers: others } = sent;
    const headers = `Sec-Fetch-Site ${site || 'empty'}, Origin ${origin}`;
    const client = cookie === undefined ? '' : `, ${cookie ? 'with' : 'without'} our cookie`;
    const more = others === undefined ? '' : `, ${Object.keys(others).join(', ')} of a trusted page`;
    return { title: `${passes ? 'allows' : 'refuses'} ${method}: ${headers}${client}${more}`, sent, passes };
  });
}

/** A request for `example.com` with these headers. */
export async function send(
  app: App,
  path: string,
  { method = 'POST', site, origin, headers }: Sent = {},
): Promise<Exchange> {
  return exchange((await app.getUrl()) + path, {
    method,
    agent: false,
    headers: {
      host: HOST,
      ...(site !== undefined && { 'sec-fetch-site': site }),
      ...(origin !== undefined && { origin }),
      ...headers,
    },
  });
}

/** The names in `Vary`, in their order. */
export const varyOf = (answer: Exchange): string[] => valuesOf(answer, 'Vary').join(', ').split(', ');
