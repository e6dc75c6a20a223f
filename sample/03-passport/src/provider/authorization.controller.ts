import {
  BadRequestException,
  Body,
  Controller,
  Get,
  Header,
  Headers,
  HttpCode,
  Post,
  Query,
  Redirect,
  UnauthorizedException,
} from '@nestjs/common';
import { html } from '../page';
import { Grants, type Asked, type Exchange } from './grants';

/** Accounts at the provider. Their ids are no ids of users of the application. */
const ACCOUNTS = [
  { sub: '4711', name: 'ada' },
  { sub: '4712', name: 'zoe' },
];

@Controller()
export class AuthorizationController {
  constructor(private readonly grants: Grants) {}

  @Get('authorize')
  @Header('Content-Security-Policy', "default-src 'none'; base-uri 'none'; frame-ancestors 'none'")
  consent(@Query() query: Record<string, unknown>): string {
    const asked = this.#check(query);
    return html`<!doctype html>
      <html lang="en">
        <meta charset="utf-8" />
        <title>Example</title>
        <h1>Example</h1>
        <p>The sample wants to know who you are. You are:</p>
        <form method="post" action="/authorize">
          ${Object.entries(asked).map(
            ([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`,
          )}
          ${ACCOUNTS.map(({ sub, name }) => html`<button name="account" value="${sub}">${name}</button> `)}
          <button name="account" value="">I do not say</button>
        </form>
      </html>`.text;
  }

  @Post('authorize')
  @Redirect()
  decide(@Body() body: Record<string, unknown>): { readonly url: string; readonly statusCode: number } {
    const asked = this.#check(body);
    const account = ACCOUNTS.find(({ sub }) => sub === body['account']);
    const back = new URL(asked.redirect_uri);
    back.searchParams.set('state', asked.state);
    if (account === undefined) back.searchParams.set('error', 'access_denied');
    else back.searchParams.set('code', this.grants.allow(asked, account.sub));
    return { url: back.href, statusCode: 303 };
  }

  @Post('token')
  @HttpCode(200)
  token(@Body() body: Record<string, unknown>): object {
    const exchange: Exchange = {
      client_id: text(body, 'client_id'),
      client_secret: text(body, 'client_secret'),
      redirect_uri: text(body, 'redirect_uri'),
      code: text(body, 'code'),
      code_verifier: text(body, 'code_verifier'),
    };
    const token = this.grants.exchange(exchange);
    if (token === null) throw new BadRequestException({ error: 'invalid_grant' });
    return { access_token: token, token_type: 'Bearer' };
  }

  @Get('userinfo')
  userInfo(@Headers('authorization') header = ''): object {
    const sub = this.grants.accountOf(header.replace(/^Bearer /, ''));
    const account = ACCOUNTS.find((each) => each.sub === sub);
    if (account === undefined) throw new UnauthorizedException();
    return account;
  }

  #check(from: Record<string, unknown>): Asked {
    const asked: Asked = {
      client_id: text(from, 'client_id'),
      redirect_uri: text(from, 'redirect_uri'),
      state: text(from, 'state'),
      code_challenge: text(from, 'code_challenge'),
    };
    if (!this.grants.isKnown(asked)) throw new BadRequestException('This client is not known here');
    return asked;
  }
}

function text(from: Record<string, unknown>, name: string): string {
  const value = from[name];
  if (typeof value !== 'string') throw new BadRequestException(`${name} is missing`);
  return value;
}
