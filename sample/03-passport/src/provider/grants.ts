import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';

/** The application that the provider knows. */
export interface Client {
  readonly id: string;
  readonly secret: string;
}

export const CLIENT = Symbol('CLIENT');

/** What a client asks for at `/authorize`. */
export interface Asked {
  readonly client_id: string;
  readonly redirect_uri: string;
  readonly state: string;
  readonly code_challenge: string;
}

/** What a client sends to `/token`. */
export interface Exchange {
  readonly client_id: string;
  readonly client_secret: string;
  readonly redirect_uri: string;
  readonly code: string;
  readonly code_verifier: string;
}

interface Grant {
  readonly asked: Asked;
  readonly accountId: string;
  readonly until: number;
}

const ONE_MINUTE = 60_000;

/** Codes, each for one exchange within a minute, and access tokens. */
@Injectable()
export class Grants {
  readonly #codes = new Map<string, Grant>();
  readonly #accounts = new Map<string, string>();

  constructor(@Inject(CLIENT) private readonly client: Client) {}

  /** Whether a client is known, and wants its answer at an address of this computer: see RFC 8252, section 7.3, on the port. */
  isKnown({ client_id, redirect_uri }: Asked): boolean {
    const url = URL.canParse(redirect_uri) ? new URL(redirect_uri) : null;
    const isLoopback = url?.protocol === 'http:' && ['localhost', '127.0.0.1'].includes(url.hostname);
    return client_id === this.client.id && isLoopback && url.pathname === '/login/example/callback';
  }

  /** Returns a code. */
  allow(asked: Asked, accountId: string): string {
    const code = randomBytes(16).toString('base64url');
    this.#codes.set(code, { asked, accountId, until: Date.now() + ONE_MINUTE });
    return code;
  }

  /** Returns an access token, or `null`. */
  exchange({ client_id, client_secret, redirect_uri, code, code_verifier }: Exchange): string | null {
    const grant = this.#codes.get(code);
    this.#codes.delete(code);
    if (grant === undefined || grant.until < Date.now()) return null;
    const isClient = client_id === grant.asked.client_id && isEqual(client_secret, this.client.secret);
    const isProven = isEqual(digest(code_verifier).toString('base64url'), grant.asked.code_challenge);
    if (!isClient || !isProven || redirect_uri !== grant.asked.redirect_uri) return null;
    const token = randomBytes(16).toString('base64url');
    this.#accounts.set(token, grant.accountId);
    return token;
  }

  /** Returns the account of an access token, or `null`. */
  accountOf(token: string): string | null {
    return this.#accounts.get(token) ?? null;
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
const isEqual = (left: string, right: string): boolean => timingSafeEqual(digest(left), digest(right));
