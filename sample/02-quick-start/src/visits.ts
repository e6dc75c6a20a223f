import { Controller, Get, Module } from '@nestjs/common';
import { Session, SessionModule } from 'nestjs-tessera';

declare module 'nestjs-tessera' {
  interface SessionData {
    visits: number;
  }
}

@Controller()
class VisitsController {
  @Get()
  visits(@Session() session: Session): string {
    return `Visit ${session.update('visits', (visits = 0) => visits + 1)}`;
  }
}

@Module({ imports: [SessionModule.forRoot()], controllers: [VisitsController] })
export class AppModule {}
