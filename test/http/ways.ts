import { once } from 'node:events';
import { Readable } from 'node:stream';
import {
  BadRequestException,
  Catch,
  Controller,
  ForbiddenException,
  Get,
  Query,
  HttpCode,
  Inject,
  Injectable,
  ParseIntPipe,
  Post,
  Redirect,
  Res,
  Sse,
  StreamableFile,
  UseFilters,
  UseGuards,
  type ArgumentsHost,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type MessageEvent,
} from '@nestjs/common';
import type { Response } from 'express';
import type { FastifyReply } from 'fastify';
import { SessionService } from 'nestjs-tessera';
import { of, type Observable } from 'rxjs';

declare module 'nestjs-tessera' {
  interface SessionData {
    way: string;
  }
}

type AnyResponse = Response & FastifyReply;

/** Leaves a mark in the session before everything else. */
@Injectable()
export class MarkingGuard implements CanActivate {
  constructor(@Inject(SessionService) private readonly sessions: SessionService) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    (await this.sessions.of(context)).set('way', 'guard');
    return true;
  }
}

@Injectable()
class RefusingGuard extends MarkingGuard {
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    return !(await super.canActivate(context));
  }
}

@Injectable()
class ThrowingGuard extends MarkingGuard {
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    await super.canActivate(context);
    throw new ForbiddenException('no');
  }
}

@Injectable()
class RedirectingGuard extends MarkingGuard {
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    await super.canActivate(context);
    context.switchToHttp().getResponse<AnyResponse>().status(302).header('Location', '/login').send('');
    return false;
  }
}

@Catch()
class AnsweringFilter implements ExceptionFilter {
  async catch(_error: unknown, host: ArgumentsHost): Promise<void> {
    await Promise.resolve();
    host.switchToHttp().getResponse<AnyResponse>().status(409).send('filtered');
  }
}

/** Every way for a handler, or for what stands before it, to answer a request that has changed its session. */
@Controller()
export class WaysController {
  constructor(@Inject(SessionService) private readonly sessions: SessionService) {}

  async #mark(): Promise<void> {
    (await this.sessions.current()).set('way', 'handler');
  }

  @Get('returned') async returned(): Promise<object> {
    await this.#mark();
    return { ok: true };
  }

  @Post('nothing') @HttpCode(204) async nothing(): Promise<void> {
    await this.#mark();
  }

  @Get('observable') async observable(): Promise<Observable<string>> {
    await this.#mark();
    return of('one', 'two');
  }

  @Get('moved') @Redirect('/elsewhere', 301) async moved(): Promise<void> {
    await this.#mark();
  }

  @Get('passthrough') async passthrough(@Res({ passthrough: true }) response: AnyResponse): Promise<string> {
    await this.#mark();
    response.status(202).header('Set-Cookie', 'other=1');
    return 'passed';
  }

  @Get('file') async file(): Promise<StreamableFile> {
    await this.#mark();
    return new StreamableFile(Readable.from([Buffer.from('a file')]), { type: 'text/plain' });
  }

  @Get('res/send') async send(@Res() response: AnyResponse): Promise<void> {
    await this.#mark();
    response.send({ sent: true });
  }

  @Get('res/raw') async raw(@Res() response: AnyResponse): Promise<void> {
    await this.#mark();
    const raw = response.raw ?? response;
    raw.writeHead(200, { 'Content-Type': 'text/plain', 'Set-Cookie': ['other=1'] });
    raw.write('in ');
    raw.end('pieces');
  }

  @Get('res/loop') async loop(@Res() response: AnyResponse): Promise<void> {
    await this.#mark();
    const raw = response.raw ?? response;
    for (let i = 0; i < 200; i++) if (!raw.write(Buffer.alloc(1024))) await once(raw, 'drain');
    raw.end();
  }

  @Get('res/redirect') async redirect(@Res() response: AnyResponse): Promise<void> {
    await this.#mark();
    response.status(302).redirect('/elsewhere' as never);
  }

  @Sse('events') async events(): Promise<Observable<MessageEvent>> {
    await this.#mark();
    return of({ data: 'one' }, { data: 'two' });
  }

  @Get('generated') async *generated(): AsyncGenerator<string> {
    await this.#mark();
    yield 'one';
    yield 'two';
  }

  @Get('guarded/refused') @UseGuards(RefusingGuard) refused(): void {}

  @Get('guarded/thrown') @UseGuards(ThrowingGuard) thrown(): void {}

  @Get('guarded/redirected') @UseGuards(RedirectingGuard) redirected(): void {}

  @Get('piped') @UseGuards(MarkingGuard) piped(@Query('n', ParseIntPipe) n: number): number {
    return n;
  }

  @Get('exception') async exception(): Promise<void> {
    await this.#mark();
    throw new BadRequestException('bad');
  }

  @Get('error') async error(): Promise<void> {
    await this.#mark();
    throw new Error('not for the client');
  }

  @Get('filtered') @UseFilters(AnsweringFilter) async filtered(): Promise<void> {
    await this.#mark();
    throw new Error('for the filter');
  }
}

/** What each way answers with, by method and path; those of middleware and of static files are marked by the application. */
export const ways: readonly (readonly [request: string, status: number, headers?: Record<string, string>])[] =
  [
    ['GET /returned', 200],
    ['HEAD /returned', 200],
    ['POST /nothing', 204],
    ['GET /observable', 200],
    ['GET /moved', 301],
    ['GET /passthrough', 202],
    ['GET /file', 200],
    ['GET /res/send', 200],
    ['GET /res/raw', 200],
    ['GET /res/loop', 200],
    ['GET /res/redirect', 302],
    ['GET /events', 200],
    ['GET /generated', 200],
    ['GET /guarded/refused', 403],
    ['GET /guarded/thrown', 403],
    ['GET /guarded/redirected', 302],
    ['GET /piped?n=x', 400],
    ['GET /piped?n=1', 200],
    ['GET /exception', 400],
    ['GET /error', 500],
    ['GET /filtered', 409],
    ['GET /marked/nowhere', 404],
    ['GET /marked/answered', 200],
    ['GET /marked/poem.txt', 200],
    ['HEAD /marked/poem.txt', 200],
    ['GET /marked/poem.txt', 206, { range: 'bytes=2-5' }],
    ['GET /marked/poem.txt', 416, { range: 'bytes=9999-' }],
    ['GET /marked/poem.txt', 304, { 'if-modified-since': 'Fri, 31 Dec 2100 00:00:00 GMT' }],
  ];
