import { promisify } from 'node:util';
import { Controller, Get, Injectable, Post, Req, UseGuards } from '@nestjs/common';
import { AuthGuard as PassportGuard, PassportStrategy } from '@nestjs/passport';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AuthGuard, Principal, Session, SessionService, type LoggedInPrincipal } from 'nestjs-tessera';
import { fastifyRequestSession, requestSession, type RequestSession } from 'nestjs-tessera/express-session';
import { PassportSessions } from 'nestjs-tessera/passport';
import { Strategy } from 'passport';
import { platforms } from '../support/app';
import '../support/session-data';
import type { Door } from './door';
import { enterWithCookie } from './http-doors';

/** A strategy that knows one user. */
class OneUser extends Strategy {
  override authenticate(): void {
    this.success({ id: 'ada' });
  }
}

@Injectable()
class DoorStrategy extends PassportStrategy(OneUser, 'door') {
  validate(): true {
    return true;
  }
}

interface PassportRequest {
  readonly user: object;
  logIn(user: object, options: object, done: (error?: Error | null) => void): void;
  logOut(done: (error?: Error | null) => void): void;
}

@Controller()
class PassportController {
  @Get('read')
  read(@Session('visits') visits = 0): object {
    return { value: visits };
  }

  @Post('write')
  write(@Session() session: Session): object {
    return { value: session.update('visits', (visits = 0) => visits + 1) };
  }

  @Post('login')
  @UseGuards(PassportGuard('door'))
  async login(@Req() request: PassportRequest): Promise<object> {
    const options = { keepSessionInfo: true };
    await promisify(request.logIn.bind(request))(request.user, options);
    return { value: 'ada' };
  }

  @Post('logout')
  @UseGuards(PassportGuard('session'))
  async logout(@Req() request: PassportRequest): Promise<object> {
    await promisify(request.logOut.bind(request))();
    return { value: 'bye' };
  }

  @UseGuards(AuthGuard)
  @Get('guarded')
  guarded(@Principal() { id }: LoggedInPrincipal): object {
    return { value: id };
  }
}

interface ExpressRequest {
  readonly session: RequestSession;
}

@Controller()
class FacadeController {
  constructor(private readonly sessions: SessionService) {}

  @Get('read')
  read(@Req() { session }: ExpressRequest): object {
    return { value: session['visits'] as number };
  }

  @Post('write')
  write(@Req() { session }: ExpressRequest): object {
    return { value: ++session['visits'] };
  }

  /** What is in `req.session` is the data of the login that it gets. */
  @Post('login')
  async login(): Promise<object> {
    await this.sessions.login({ id: 'ada' });
    return { value: 'ada' };
  }

  @Post('logout')
  async logout(@Req() { session }: ExpressRequest): Promise<object> {
    await session.destroy();
    return { value: 'bye' };
  }

  @UseGuards(AuthGuard)
  @Get('guarded')
  guarded(@Principal() { id }: LoggedInPrincipal): object {
    return { value: id };
  }
}

export const middlewareDoors: readonly Door[] = platforms.flatMap((platform): readonly Door[] => {
  const common = { platform, missing: null, cannot: {}, ending: null, enter: enterWithCookie };
  const passport = PassportSessions.forRoot({ principal: (user: { id: string }) => user });
  return [
    {
      ...common,
      name: 'Passport',
      setUp: { imports: [passport], controllers: [PassportController], providers: [DoorStrategy] },
    },
    {
      ...common,
      name: 'req.session',
      setUp: {
        controllers: [FacadeController],
        configure: async (app) => {
          if (platform === 'express') (app as NestExpressApplication).use(requestSession());
          else await (app as NestFastifyApplication).register(fastifyRequestSession);
        },
      },
    },
  ];
});
