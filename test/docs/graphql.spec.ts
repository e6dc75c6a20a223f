import { Injectable, Module, UnauthorizedException, type Type } from '@nestjs/common';
import { closeApps, startApp } from '../support/app';
import { visitor } from '../support/visitor';
import { exportsOf } from './guide-code';
import { Markdown } from './markdown';

@Injectable()
class Users {
  async verify(_email: string, password: string) {
    if (password !== 'lovelace') throw new UnauthorizedException();
    return { id: 7, roles: [] };
  }
}

describe('the resolvers of docs/graphql.md', () => {
  afterEach(closeApps);

  it('log in, know the user, keep what a mutation sets, and log out', async () => {
    // @nestjs/graphql compares these types with those of Jest's world.
    const world = { Users, Boolean, String };
    const guide = new Markdown('docs/graphql.md');
    const { AppModule } = exportsOf<{ AppModule: Type }>(guide, 'class AppModule', world);
    const { LoginResolver } = exportsOf<{ LoginResolver: Type }>(guide, 'class LoginResolver', world);
    @Module({ imports: [AppModule], providers: [LoginResolver, Users] })
    class All {}
    const app = await startApp({ platform: 'express', options: false, imports: [All] });
    const ada = await visitor(app);
    const ask = async (query: string) => {
      const { data, errors } = (await ada.post('/graphql', { query })).json<{
        data: object | null;
        errors?: { extensions: { code: string } }[];
      }>();
      return errors?.map(({ extensions }) => extensions.code) ?? data;
    };
    expect({
      before: await ask('{ account { id } }'),
      wrong: await ask('mutation { login(email: "ada@example.com", password: "babbage") }'),
      right: await ask('mutation { login(email: "ada@example.com", password: "lovelace") }'),
      after: await ask('{ account { id } }'),
      rename: await ask('mutation { rename(name: "Ada") }'),
      logout: await ask('mutation { logout }'),
      ended: await ask('{ account { id } }'),
    }).toEqual({
      before: ['UNAUTHENTICATED'],
      wrong: ['UNAUTHENTICATED'],
      right: { login: true },
      after: { account: { id: '7' } },
      rename: { rename: true },
      logout: { logout: true },
      ended: ['UNAUTHENTICATED'],
    });
  });
});
