import { BadRequestException, Body, Controller, Delete, Get, Param, Post } from '@nestjs/common';
import { Session } from 'nestjs-tessera';

interface Line {
  readonly item: string;
  readonly count: number;
}

declare module 'nestjs-tessera' {
  interface SessionData {
    language: string;
    currency: string;
    lastForm: string;
    lines: Line[];
    seenAt: Date;
  }
}

const PREFERENCES = ['language', 'currency'] as const;
type Preference = (typeof PREFERENCES)[number];

@Controller()
export class PreferencesController {
  @Get('preferences/:key')
  get(@Session() session: Session, @Param('key') key: string): object {
    return { value: session.get(known(key)) ?? null };
  }

  @Post('preferences/:key')
  set(@Session() session: Session, @Param('key') key: string, @Body('value') value: string): void {
    session.set(known(key), value);
  }

  @Delete('preferences/:key')
  delete(@Session() session: Session, @Param('key') key: string): object {
    return { deleted: session.delete(known(key)) };
  }

  /** Once `get`, a change, and `set`: two requests at once lost one of two lines. */
  @Post('cart')
  add(@Session() session: Session, @Body('item') item: string): Line[] {
    return session.update('lines', (lines = []) => {
      const count = (lines.find((line) => line.item === item)?.count ?? 0) + 1;
      return [...lines.filter((line) => line.item !== item), { item, count }];
    });
  }

  @Get('cart')
  cart(@Session('lines') lines: Line[] = []): Line[] {
    return lines;
  }

  /** A date comes back as a date: @fastify/session returned what JSON made of it. */
  @Post('seen')
  seen(@Session() session: Session): object {
    const before = session.get('seenAt');
    session.set('seenAt', new Date(Date.UTC(2030, 0, 1)));
    return { year: before?.getUTCFullYear() ?? null };
  }
}

function known(key: string): Preference {
  const preference = PREFERENCES.find((each) => each === key);
  if (preference === undefined) throw new BadRequestException(`There is no preference '${key}'`);
  return preference;
}
