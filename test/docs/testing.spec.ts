import * as common from '@nestjs/common';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { NestFactory } from '@nestjs/core';
import { Field, GraphQLModule, ID, ObjectType, Query, Resolver } from '@nestjs/graphql';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { Test } from '@nestjs/testing';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import ts from 'typescript';
import { AuthGuard, Principal, Session, SessionModule, SessionService } from 'nestjs-tessera';
import { SessionSocketsModule } from 'nestjs-tessera/websockets';
import { closeApps, startApp } from '../support/app';
import { Markdown } from './markdown';

const { Body, Controller, Get, Injectable, Module, Post, UnauthorizedException, UseGuards } = common;
const guide = new Markdown('docs/testing.md');

@Injectable()
class Users {
  verify(_: string, password: string): object {
    if (password !== 'correct horse') throw new UnauthorizedException();
    return { id: 7 };
  }
}

/** The application that the guide tests. */
@Controller()
class AccountController {
  constructor(
    private readonly sessions: SessionService,
    private readonly users: Users,
  ) {}

  @Get()
  home(): string {
    return 'home';
  }

  @Post('login')
  async login(@Body() form: { email: string; password: string }): Promise<void> {
    await this.sessions.login(this.users.verify(form.email, form.password) as { id: number });
  }

  @UseGuards(AuthGuard)
  @Get('me')
  me(@Principal() user: Principal): Principal {
    return user;
  }

  @Get('cart')
  cart(@Session() session: Session): unknown {
    return session.get('cart' as never);
  }

  @Post('logout')
  async logout(): Promise<void> {
    await this.sessions.logout();
  }
}

@Module({ imports: [SessionModule.forRoot()], controllers: [AccountController], providers: [Users] })
class AppModule {}

@WebSocketGateway()
class ChatGateway {
  @UseGuards(AuthGuard)
  @SubscribeMessage('say')
  say(@MessageBody() text: string, @Principal() { id }: Principal): object {
    return { event: 'said', data: `${id}: ${text}` };
  }
}

@ObjectType()
class User {
  @Field(() => ID)
  id!: string;
}

@Resolver()
class UserResolver {
  @UseGuards(AuthGuard)
  @Query(() => User)
  me(@Principal() user: Principal): User {
    return user;
  }
}

/** Prints nothing. */
const noLogger: common.LoggerService = { log: () => {}, error: () => {}, warn: () => {} };
const QuietTest = {
  createTestingModule: (metadata: common.ModuleMetadata) =>
    Test.createTestingModule(metadata).setLogger(noLogger),
};
const QuietFactory = { create: (module: common.Type) => NestFactory.create(module, { logger: false }) };
const application = { AppModule, AccountController, Users };
const world = { ...nestOf(common), NestFactory: QuietFactory, Test: QuietTest, ...application };

afterEach(closeApps);

describe('the tests that docs/testing.md shows pass', () => {
  describe('the first one', () => void run('asks visitors to log in', { beforeAll, afterAll, it }));
  describe('of a handler', () => void run('class CartController', { it, expect }));
  describe('of a class with SessionService', () => void run('LogoutController', { it, expect, jest }));
});

describe('what docs/testing.md shows runs', () => {
  it.each([
    ['a login by a form', 'request.agent(app.getHttpServer()));', ''],
    ['a client with data', "{ data: { cart: ['pear'] } }", ''],
    ['assertions about responses', 'expectSession(home, app).kept()', 'session.principal.id'],
    ['a session without HTTP', 'manager.commit(session)', 'outcome.kind'],
  ])('%s', async (_, text, result) => {
    const app = await startApp({
      platform: 'express',
      controllers: [AccountController],
      providers: [Users],
    });
    const results = { '': undefined, 'session.principal.id': '7', 'outcome.kind': 'issue' };
    expect(await run(text, { app }, result)).toBe(results[result as keyof typeof results]);
  });

  it('requests of fetch', async () => {
    const app = (await Test.createTestingModule({ imports: [AppModule] }).compile()).createNestApplication();
    const status = await run('await app.listen(0); // a free port', { app }, 'response.status');
    await app.close();
    expect(status).toBe(200);
  });

  it('a clock', async () => {
    const [status, app] = (await run("clock.advance('30m')", {}, '[response.status, app]')) as [
      number,
      common.INestApplication,
    ];
    await app.close();
    expect(status).toBe(401);
  });

  it('a store that fails', async () => {
    const [calls, app] = (await run("store.fail('find');", {}, '[store.calls, app]')) as [
      string[],
      common.INestApplication,
    ];
    await app.close();
    expect(calls).toEqual([]);
  });

  it.each([
    ['store', 'useValue(new MemorySessionStore())'],
    ['options', 'overrideProvider(sessionOptionsToken())'],
  ])('a module with other %s', async (_, text) => {
    expect(await run(text, {}, 'module')).toBeDefined();
  });

  it('a socket that is closed when its session ends', async () => {
    const app = await startApp({
      platform: 'express',
      imports: [SessionSocketsModule],
      providers: [ChatGateway],
      configure: (each) => void each.useWebSocketAdapter(new IoAdapter(each)),
    });
    expect(await run("socket.emit('say', 'hello')", { app }, 'await said')).toBe('7: hello');
  });

  it.each([
    ['queries', '.post(', 'answer.body'],
    ['operations over a socket', 'createClient(', 'value'],
  ])('%s of GraphQL', async (_, text, result) => {
    const app = await startApp({
      platform: 'express',
      providers: [UserResolver],
      imports: [
        GraphQLModule.forRoot<ApolloDriverConfig>({
          ...{ driver: ApolloDriver, autoSchemaFile: true, subscriptions: { 'graphql-ws': true } },
        }),
      ],
    });
    const snippet = text === '.post(' ? "query: '{ me { id } }' })\n  .expect" : text;
    expect(await run(snippet, { app }, result)).toEqual({ data: { me: { id: '7' } } });
  });

  it('a login for Playwright', async () => {
    const written: Record<string, string> = {};
    const files = {
      mkdir: async () => {},
      writeFile: async (path: string, text: string) => void (written[path] = text),
    };
    const globalSetup = (await run('globalSetup(): Promise', { files }, 'globalSetup')) as () => Promise<
      () => Promise<void>
    >;
    const close = await globalSetup();
    await close();
    expect(JSON.parse(written['e2e/.auth/ada.json']!)).toMatchObject({
      cookies: [{ name: '__Host-session', domain: 'localhost', secure: true, httpOnly: true }],
    });
  });
});

/** Runs the snippet that contains a text, as its reader would have it in an async function, and returns what an expression is then. */
async function run(text: string, given: Record<string, unknown>, result = ''): Promise<unknown> {
  const { code } = guide.snippets('ts').find((snippet) => snippet.code.includes(text))!;
  // Of exports only the names are needed, and any port will do.
  const runnable = code.replace(/^export default /m, '').replace('listen(3999)', 'listen(0)');
  const { outputText } = ts.transpileModule(runnable, {
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.CommonJS,
      esModuleInterop: true,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
    },
  });
  const requires = requireFor(given);
  const all: Record<string, unknown> = { ...world, ...given, exports: {}, require: requires };
  const names = Object.keys(all);
  // In Jest's own world, whose arrays supertest compares with those of answers.
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the guide's code
  const body = new Function(
    ...names,
    `return (async () => { ${outputText}\nreturn ${result || 'undefined'}; })();`,
  ) as (...values: unknown[]) => Promise<unknown>;
  return body(...names.map((name) => all[name]));
}

/** The snippet for Playwright writes a file. */
function requireFor({ files }: Record<string, unknown>): (name: string) => unknown {
  return (name) => (name === 'node:fs/promises' && files !== undefined ? files : jest.requireActual(name));
}

/** The snippets import the library's own `Session`. */
function nestOf({ Session: _, ...nest }: typeof common & { Session?: unknown }): Record<string, unknown> {
  return nest;
}
