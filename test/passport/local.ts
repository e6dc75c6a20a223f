import {
  Controller,
  Get,
  Injectable,
  Post,
  Req,
  UseGuards,
  type ExecutionContext,
  type Type,
} from '@nestjs/common';
import { AuthGuard as PassportGuard, PassportStrategy } from '@nestjs/passport';
import { AuthGuard, Principal, SessionService } from 'nestjs-tessera';
import { Strategy } from 'passport-local';

/** What strategies return, and `request.user` is. */
export interface User {
  readonly id: string;
  readonly name: string;
  readonly roles?: readonly string[];
}

/** A request with what Passport adds to it. */
export interface Request {
  user?: User | null;
  readonly body?: Readonly<Record<string, unknown>>;
  isAuthenticated?(): boolean;
  logOut(options: object, done: (error?: Error | null) => void): void;
  logOut(options?: object): Promise<void>;
  logIn(user: User, options?: object): Promise<void>;
}

export const people: readonly User[] = [
  { id: 'ada', name: 'Ada Lovelace', roles: ['admin'] },
  { id: 'grace', name: 'Grace Hopper' },
];

/** The application of most readers of Nest's documentation: a strategy, its guard that logs in, and a controller. */
export interface LocalLogins {
  readonly providers: Type[];
  readonly controllers: Type[];
  /** Called by the strategy before it returns the user. */
  during: () => void | Promise<void>;
  /** Called when `req.logIn` or `req.logOut` has called back. */
  after: (error?: unknown) => void;
  /** What the strategy told the guard. */
  info?: unknown;
}

export function localLogins(): LocalLogins {
  const logins: LocalLogins = { providers: [], controllers: [], during: () => {}, after: () => {} };

  @Injectable()
  class LocalStrategy extends PassportStrategy(Strategy) {
    async validate(username: string, password: string): Promise<User | null> {
      await logins.during();
      return password === 'secret' ? (people.find(({ id }) => id === username) ?? null) : null;
    }
  }

  @Injectable()
  class LocalGuard extends PassportGuard('local') {
    override async canActivate(context: ExecutionContext): Promise<boolean> {
      await super.canActivate(context);
      await super.logIn(context.switchToHttp().getRequest());
      logins.after();
      return true;
    }

    override handleRequest<T>(error: unknown, user: T, info: unknown, ...rest: [ExecutionContext]): T {
      logins.info = info;
      return super.handleRequest(error, user, info, ...rest);
    }
  }

  @Controller()
  class LoginController {
    @Post('login')
    @UseGuards(LocalGuard)
    login(@Req() { user }: Request): object {
      return { name: user?.name };
    }

    /** Behind no guard: for an application with `passport.session()` in main.ts. */
    @Get('who')
    who(@Req() request: Request): object {
      return { name: request.user?.name ?? null, isAuthenticated: request.isAuthenticated?.() };
    }

    @Get('me')
    @UseGuards(AuthGuard)
    me(@Principal() principal: Principal): object {
      return principal;
    }

    @Get('user')
    @UseGuards(PassportGuard('session'))
    user(@Req() { user }: Request): object {
      return { user };
    }

    @Post('logout')
    @UseGuards(PassportGuard('session'))
    async logout(@Req() request: Request): Promise<object> {
      const options = request.body ?? {};
      await new Promise<void>((resolve, reject) => {
        request.logOut(options, (error) => {
          logins.after(error);
          return error ? reject(error) : resolve();
        });
      });
      return { user: request.user };
    }

    @Post('switch')
    @UseGuards(PassportGuard('session'))
    async switch(@Req() request: Request): Promise<object> {
      await request.logOut({ keepSessionInfo: true });
      await request.logIn(people[1]!);
      return { user: request.user };
    }
  }

  @Controller()
  class OtherController {
    constructor(private readonly sessions: SessionService) {}

    /** A route for programs, which log in with each request, and for browsers. */
    @Post('either')
    @UseGuards(PassportGuard(['session', 'local']))
    either(@Req() { user }: Request): object {
      return { user: user?.id };
    }

    /** Without a guard that logs in: the handler does. */
    @Post('sign-in')
    @UseGuards(PassportGuard('local'))
    async signIn(@Req() request: Request): Promise<void> {
      await request.logIn(request.user!, {});
    }

    @Post('password')
    @UseGuards(PassportGuard('session'))
    async changePassword(@Req() request: Request): Promise<void> {
      await this.sessions.endAll({ id: request.user!.id });
      await request.logIn(request.user!);
    }
  }

  return Object.assign(logins, {
    providers: [LocalStrategy],
    controllers: [LoginController, OtherController],
  });
}
