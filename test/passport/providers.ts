import {
  Controller,
  Get,
  Injectable,
  Req,
  UseGuards,
  type ExecutionContext,
  type Provider,
  type Type,
} from '@nestjs/common';
import { AuthGuard as PassportGuard, PassportStrategy } from '@nestjs/passport';
import { AuthGuard, Principal } from 'nestjs-tessera';
import { SessionStateStore, withSessionStates } from 'nestjs-tessera/passport';
import { Configuration, None, allowInsecureRequests } from 'openid-client';
import { Strategy as OpenIdClientStrategy } from 'openid-client/passport';
import OAuth2Strategy from 'passport-oauth2';
import type { AuthorizationServer } from '../applications/support/authorization-server';
import type { User } from './local';

// eslint-disable-next-line @typescript-eslint/no-require-imports -- the package brings no types
const OpenIdStrategy = require('passport-openidconnect') as new (
  options: object,
  verify: (...all: never[]) => void,
) => object;

/** A strategy that logs in at a provider, and where its login begins. */
export interface Kind {
  readonly name: string;
  /** Makes the strategy. `state` is its option `store`. */
  readonly strategy: (
    server: AuthorizationServer,
    state: SessionStateStore,
    options?: object,
  ) => Type<object>;
}

const settings = (server: AuthorizationServer, kind: string) => ({
  authorizationURL: `${server.issuer}/authorize`,
  tokenURL: `${server.issuer}/token`,
  clientID: 'shop',
  clientSecret: 'secret',
  callbackURL: `https://shop.test/${kind}/callback`,
});

const oauth2 =
  (name: string, own: object): Kind['strategy'] =>
  (server, store, options) => {
    @Injectable()
    class ProviderStrategy extends PassportStrategy(OAuth2Strategy, name) {
      constructor() {
        super({ ...settings(server, name), ...own, store, ...options });
      }

      validate(): User {
        return { id: server.user.sub, name: 'Ada Lovelace' };
      }
    }
    return ProviderStrategy;
  };

export const kinds: readonly Kind[] = [
  { name: 'oauth2', strategy: oauth2('oauth2', {}) },
  { name: 'pkce', strategy: oauth2('pkce', { pkce: true }) },
  {
    name: 'openid',
    strategy: (server, store, options) => {
      @Injectable()
      class ProviderStrategy extends PassportStrategy(OpenIdStrategy, 'openid') {
        constructor() {
          super({ ...settings(server, 'openid'), issuer: server.issuer, nonce: true, store, ...options });
        }

        validate(_issuer: string, { id }: { readonly id: string }): User {
          return { id, name: 'Ada Lovelace' };
        }
      }
      return ProviderStrategy;
    },
  },
  ...[true, false].map((knowsPkce) => openidClient(knowsPkce)),
];

/** The strategy of openid-client. */
function openidClient(knowsPkce: boolean): Kind {
  const name = knowsPkce ? 'openid-client' : 'openid-client-without-pkce';
  return {
    name,
    strategy: ({ issuer }, _store, options) => {
      const metadata = {
        ...{ issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token` },
        ...(knowsPkce && { code_challenge_methods_supported: ['S256'] }),
      };
      const config = new Configuration(metadata, 'shop', { id_token_signed_response_alg: 'ES256' }, None());
      allowInsecureRequests(config);
      const settings = { config, callbackURL: `https://shop.test/${name}/callback`, scope: 'openid' };

      @Injectable()
      class ProviderStrategy extends PassportStrategy(withSessionStates(OpenIdClientStrategy, name), name) {
        constructor() {
          super({ ...settings, ...options });
        }

        validate(tokens: { claims(): { sub: string } | undefined }): User {
          return { id: tokens.claims()!.sub, name: 'Ada Lovelace' };
        }
      }
      return ProviderStrategy;
    },
  };
}

/** The two routes of a login at a provider, which have one guard, as most readers of Nest's documentation write it. */
export function routesOf(kind: string): Type {
  @Injectable()
  class ProviderGuard extends PassportGuard(kind) {
    override async canActivate(context: ExecutionContext): Promise<boolean> {
      await super.canActivate(context);
      await super.logIn(context.switchToHttp().getRequest());
      return true;
    }

    override getAuthenticateOptions(): object {
      return { state: { returnTo: '/cart' } };
    }
  }

  @Controller(kind)
  class ProviderController {
    @Get()
    @UseGuards(ProviderGuard)
    begin(): void {}

    @Get('callback')
    @UseGuards(ProviderGuard)
    callback(
      @Req() request: { readonly user: User; readonly authInfo?: { readonly state?: unknown } },
    ): object {
      return { user: request.user.id, state: request.authInfo?.state };
    }
  }
  return ProviderController;
}

@Controller()
export class AccountController {
  @Get('me')
  @UseGuards(AuthGuard)
  me(@Principal() { id }: Principal): object {
    return { id };
  }
}

/** Everything of logins at a provider by each kind of strategy. */
export function providerLogins(
  server: AuthorizationServer,
  chosen: readonly Kind[],
  options?: object,
): { readonly providers: Provider[]; readonly controllers: Type[] } {
  return {
    providers: chosen.map(({ name, strategy }) => strategy(server, new SessionStateStore(name), options)),
    controllers: [AccountController, ...chosen.map(({ name }) => routesOf(name))],
  };
}
