import { randomBytes } from 'node:crypto';
import { ForbiddenException, Inject, Injectable } from '@nestjs/common';
import { challengeOf } from '../support/authorization-server';

/** The address of the authorization server. */
export const PROVIDER = Symbol('provider');

/** What a login that has begun needs when the browser comes back. */
export interface Attempt {
  readonly state: string;
  readonly verifier: string;
}

@Injectable()
export class OAuthClient {
  constructor(@Inject(PROVIDER) private readonly provider: string) {}

  begin(redirectUri: string): { readonly attempt: Attempt; readonly url: string } {
    const attempt = { state: random(), verifier: random() };
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: 'shop',
      redirect_uri: redirectUri,
      state: attempt.state,
      code_challenge: challengeOf(attempt.verifier),
      code_challenge_method: 'S256',
    });
    return { attempt, url: `${this.provider}/authorize?${query.toString()}` };
  }

  /** Returns the id of the user who has consented. */
  async finish(code: string, { verifier }: Attempt): Promise<string> {
    const body = new URLSearchParams({ grant_type: 'authorization_code', code, code_verifier: verifier });
    const response = await fetch(`${this.provider}/token`, { method: 'POST', body });
    if (!response.ok) throw new ForbiddenException('The provider refused the code');
    const { access_token } = (await response.json()) as { readonly access_token: string };
    const user = await fetch(`${this.provider}/user`, {
      headers: { authorization: `Bearer ${access_token}` },
    });
    return ((await user.json()) as { readonly id: string }).id;
  }
}

function random(): string {
  return randomBytes(32).toString('base64url');
}
