import type { Server } from 'node:http';
import { Controller, Get, Post, UseGuards } from '@nestjs/common';
import request from 'supertest';
import { AuthGuard, Principal, Session } from 'nestjs-tessera';
import { browserAgent } from 'nestjs-tessera/testing';
import { closeApps, platforms, startApp } from '../support/app';

@Controller()
class AccountController {
  @Post('login') login(@Session() session: Session): void {
    session.login({ id: 7 });
  }
  @UseGuards(AuthGuard)
  @Get('me')
  me(@Principal() who: Principal): Principal {
    return who;
  }
  @Post('logout') logout(@Session() session: Session): void {
    session.logout();
  }
}

afterEach(closeApps);

describe.each(platforms)('an agent of supertest on %s', (platform) => {
  const serverOf = async (): Promise<Server> => {
    const app = await startApp({ platform, controllers: [AccountController] });
    return app.getHttpServer();
  };

  it('W3: is logged in after a login, and no more after a logout', async () => {
    const agent = browserAgent(request.agent(await serverOf()));
    await agent.get('/me').expect(401);
    await agent.post('/login').expect(201);
    await agent.get('/me').expect(200, { id: '7', realm: 'default', roles: [] });
    await agent.post('/logout').expect(201);
    await agent.get('/me').expect(401);
  });

  it('W3: has a cookie jar of its own, which drops Secure cookies', async () => {
    const agent = request.agent(await serverOf());
    await agent.post('/login').expect(201);
    await agent.get('/me').expect(401);
  });
});
