import type { NestExpressApplication } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { Visitor } from '../../../test/support/visitor';
import { AppModule } from '../src/app.module';

const LOGIN =
  'mutation Login($name: String!, $password: String!) { login(name: $name, password: $password) { name } }';
const PASSWORD = 'correct horse battery staple';

interface Reply {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly extensions: { readonly originalError?: { readonly code?: string } };
  }[];
}

describe('the bookshop’s GraphQL API', () => {
  let app: NestExpressApplication;
  let ada: Visitor;

  beforeAll(async () => {
    const module = await Test.createTestingModule({ imports: [AppModule] }).compile();
    app = module.createNestApplication<NestExpressApplication>({ logger: false });
    await app.listen(0, '127.0.0.1');
  });

  beforeEach(async () => {
    ada = new Visitor(await app.getUrl());
  });

  afterAll(() => app.close());

  const send = (who: Visitor, query: string, variables: object = {}, headers: Record<string, string> = {}) =>
    who.post('/graphql', { query, variables }, { headers });
  const ask = async (who: Visitor, query: string, variables?: object): Promise<Reply> =>
    (await send(who, query, variables)).json();
  const logIn = (who: Visitor, name: string, password = PASSWORD) => ask(who, LOGIN, { name, password });
  const codeOf = ({ errors }: Reply) => errors?.[0]?.extensions.originalError?.code;

  it('knows no one before the login, and forgets them at the logout', async () => {
    const visitor = await ask(ada, '{ me { name } }');
    const login = await logIn(ada, 'ada');
    const member = await ask(ada, '{ me { name roles } }');
    const logout = await ask(ada, 'mutation { logout }');
    const afterwards = await ask(ada, '{ me { name } }');
    expect({ visitor: codeOf(visitor), login, member, logout, afterwards: codeOf(afterwards) }).toEqual({
      visitor: 'LOGIN_REQUIRED',
      login: { data: { login: { name: 'ada' } } },
      member: { data: { me: { name: 'ada', roles: ['bookseller'] } } },
      logout: { data: { logout: true } },
      afterwards: 'LOGIN_REQUIRED',
    });
  });

  it('says the same of a wrong password and an unknown name, and logs in no one', async () => {
    const message = 'This name and password do not belong together';
    const wrong = await logIn(ada, 'ada', 'guesswork');
    const unknown = await logIn(ada, 'zoe');
    expect({
      wrong: wrong.errors?.map((error) => error.message),
      unknown: unknown.errors?.map((error) => error.message),
      me: codeOf(await ask(ada, '{ me { name } }')),
    }).toEqual({ wrong: [message], unknown: [message], me: 'LOGIN_REQUIRED' });
  });

  it('keeps what a visitor has put into the cart through the login, under a new token', async () => {
    await ask(ada, 'mutation { addToCart(book: "Meditations") }');
    const before = await ada.token();
    await logIn(ada, 'ada');
    expect({
      reply: await ask(ada, '{ me { name cart } }'),
      hasNewToken: before !== (await ada.token()),
    }).toEqual({ reply: { data: { me: { name: 'ada', cart: ['Meditations'] } } }, hasNewToken: true });
  });

  it('loses no mutation, of those in one operation and of those at the same time', async () => {
    await ask(ada, 'mutation { addToCart(book: "Meditations") }');
    await Promise.all([
      ask(ada, 'mutation { a: addToCart(book: "Aeneid") b: addToCart(book: "Aeneid") }'),
      ask(ada, 'mutation { addToCart(book: "Metamorphoses") }'),
    ]);
    const { data } = await ask(ada, '{ cart }');
    expect([...(data!['cart'] as string[])].sort()).toEqual([
      'Aeneid',
      'Aeneid',
      'Meditations',
      'Metamorphoses',
    ]);
  });

  it('tells the number of sessions to a bookseller, and to no other', async () => {
    const bert = new Visitor(await app.getUrl());
    await logIn(ada, 'ada');
    await logIn(bert, 'bert');
    expect({
      ada: (await ask(ada, '{ sessions }')).data,
      bert: codeOf(await ask(bert, '{ sessions }')),
    }).toEqual({ ada: { sessions: expect.any(Number) }, bert: 'ROLE_REQUIRED' });
  });

  it('refuses a mutation that another site’s page sends', async () => {
    await logIn(ada, 'ada');
    const foreign = { origin: 'https://evil.example' };
    const refused = await send(ada, 'mutation { logout }', {}, foreign);
    expect({ code: codeOf(refused.json()), me: (await ask(ada, '{ me { name } }')).data }).toEqual({
      code: 'CSRF_REFUSED',
      me: { me: { name: 'ada' } },
    });
  });
});
