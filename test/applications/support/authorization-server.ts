import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignJWT, exportJWK, generateKeyPair, type CryptoKey, type JWK } from 'jose';

interface Grant {
  /** `null` for a login without PKCE. */
  readonly challenge: string | null;
  readonly nonce: string | null;
  readonly clientId: string;
}

const CLIENT_ID = 'shop';

/**
 * An authorization server of OAuth 2, with PKCE for who asks for it, and of OpenID Connect: one user, who consents to everything. Codes are
 * good once, and each asks for the verifier of its challenge.
 */
export class AuthorizationServer {
  readonly #server: Server = createServer((request, response) => void this.#answer(request, response));
  readonly #grants = new Map<string, Grant>();
  #key!: CryptoKey;
  #jwk!: JWK;

  /** @param user its id; `sid` is the id of its session at this server */
  constructor(readonly user: { readonly sub: string; readonly sid: string }) {}

  async start(): Promise<void> {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    this.#key = privateKey;
    this.#jwk = { ...(await exportJWK(publicKey)), kid: 'first', alg: 'ES256' };
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get issuer(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The user's browser at the authorization endpoint. Returns where it is sent back to. */
  async consent(location: string): Promise<string> {
    const response = await fetch(location, { redirect: 'manual' });
    const back = new URL(response.headers.get('location')!);
    return back.pathname + back.search;
  }

  /** Tells a client that the user's session at this server has ended (OpenID Connect Back-Channel Logout). */
  async logOut(clientUrl: string, claims: Record<string, unknown> = {}): Promise<Response> {
    const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
    const logout_token = await this.#sign({ ...this.user, events, ...claims }, 'logout+jwt');
    return fetch(clientUrl, { method: 'POST', body: new URLSearchParams({ logout_token }) });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url!, this.issuer);
    if (pathname === '/authorize') return this.#authorize(searchParams, response);
    const body = await this.#bodyOf(pathname, request);
    response.writeHead(body === null ? 400 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body ?? { error: 'invalid_grant' }));
  }

  #authorize(asked: URLSearchParams, response: ServerResponse): void {
    const code = randomBytes(16).toString('base64url');
    this.#grants.set(code, {
      challenge: asked.get('code_challenge'),
      nonce: asked.get('nonce'),
      clientId: asked.get('client_id')!,
    });
    const back = new URL(asked.get('redirect_uri')!);
    back.searchParams.set('code', code);
    const state = asked.get('state');
    if (state !== null) back.searchParams.set('state', state);
    response.writeHead(302, { location: back.href }).end();
  }

  async #bodyOf(pathname: string, request: IncomingMessage): Promise<object | null> {
    if (pathname === '/jwks') return { keys: [this.#jwk] };
    if (pathname === '/user') return { id: this.user.sub };
    let form = '';
    for await (const chunk of request) form += String(chunk);
    return this.#exchange(new URLSearchParams(form));
  }

  async #exchange(asked: URLSearchParams): Promise<object | null> {
    const code = asked.get('code')!;
    const grant = this.#grants.get(code);
    this.#grants.delete(code);
    const verifier = asked.get('code_verifier');
    if (grant?.challenge !== (verifier && challengeOf(verifier))) return null;
    const claims = { ...this.user, ...(grant.nonce !== null && { nonce: grant.nonce }) };
    return { access_token: 'access', token_type: 'Bearer', id_token: await this.#sign(claims, 'JWT') };
  }

  #sign(claims: Record<string, unknown>, typ: string): Promise<string> {
    return new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', kid: 'first', typ })
      .setIssuer(this.issuer)
      .setAudience(CLIENT_ID)
      .setIssuedAt()
      .setJti(randomBytes(8).toString('hex'))
      .setExpirationTime('2m')
      .sign(this.#key);
  }
}

/** The challenge `S256` of a verifier of PKCE. */
export function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url');
}
