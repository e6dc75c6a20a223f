import { randomBytes } from 'node:crypto';
import { ForbiddenException, Inject, Injectable } from '@nestjs/common';
import { createRemoteJWKSet, jwtVerify, type JWTPayload } from 'jose';
import { challengeOf } from '../support/authorization-server';

/** The address of the OpenID provider. */
export const ISSUER = Symbol('issuer');

/** What a login that has begun needs when the browser comes back. */
export interface Flow {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  /** The page that asked for the login. */
  readonly returnTo: string;
}

/** Who has logged in at the provider, and in which of its sessions. */
export interface Identity {
  readonly sub: string;
  readonly sid: string;
  readonly idToken: string;
}

const CLIENT_ID = 'shop';

@Injectable()
export class OpenIdClient {
  readonly #keys: ReturnType<typeof createRemoteJWKSet>;

  constructor(@Inject(ISSUER) private readonly issuer: string) {
    this.#keys = createRemoteJWKSet(new URL(`${issuer}/jwks`));
  }

  begin(returnTo: string): { readonly flow: Flow; readonly url: string } {
    const flow = { state: random(), nonce: random(), verifier: random(), returnTo };
    const query = new URLSearchParams({
      response_type: 'code',
      scope: 'openid',
      client_id: CLIENT_ID,
      redirect_uri: 'https://shop.test/callback',
      state: flow.state,
      nonce: flow.nonce,
      code_challenge: challengeOf(flow.verifier),
      code_challenge_method: 'S256',
    });
    return { flow, url: `${this.issuer}/authorize?${query.toString()}` };
  }

  async finish(code: string, { verifier, nonce }: Flow): Promise<Identity> {
    const body = new URLSearchParams({ grant_type: 'authorization_code', code, code_verifier: verifier });
    const response = await fetch(`${this.issuer}/token`, { method: 'POST', body });
    if (!response.ok) throw new ForbiddenException('The provider refused the code');
    const { id_token: idToken } = (await response.json()) as { readonly id_token: string };
    const claims = await this.#verify(idToken, 'JWT');
    if (claims['nonce'] !== nonce) throw new ForbiddenException('This is the token of another login');
    return { sub: claims.sub!, sid: claims['sid'] as string, idToken };
  }

  /** Returns which user's session at the provider a logout token ends; `sub` alone: all of them. */
  async endedBy(logoutToken: string): Promise<{ readonly sub: string; readonly sid: string | null }> {
    const { sub, sid = null, events } = await this.#verify(logoutToken, 'logout+jwt');
    if (!Object.hasOwn(Object(events) as object, 'http://schemas.openid.net/event/backchannel-logout'))
      throw new ForbiddenException('Not a logout token');
    return { sub: sub!, sid: sid as string | null };
  }

  logoutUrl(idToken: string): string {
    return `${this.issuer}/logout?id_token_hint=${idToken}`;
  }

  async #verify(token: string, typ: string): Promise<JWTPayload> {
    try {
      const { payload } = await jwtVerify(token, this.#keys, {
        issuer: this.issuer,
        audience: CLIENT_ID,
        typ,
      });
      return payload;
    } catch (cause) {
      throw new ForbiddenException('Not a token of the provider', { cause });
    }
  }
}

function random(): string {
  return randomBytes(32).toString('base64url');
}
