import { Controller, Get, UseGuards } from '@nestjs/common';
import { AuthGuard } from 'nestjs-tessera';
import { Page } from '../web/page.decorator';

const WATCHWORDS = ['Vesta', 'Concordia', 'Aurora', 'Fortuna redux', 'Ceres', 'Salus publica', 'Nox quieta'];
const DAY = 24 * 60 * 60 * 1000;

/** For whoever is logged in. Others get a 401, which the page filter turns into the way to the login page. */
@Controller('members')
@UseGuards(AuthGuard)
export class MembersController {
  @Get()
  @Page('members', 'Members')
  show(): object {
    return { watchword: WATCHWORDS[Math.floor(Date.now() / DAY) % WATCHWORDS.length] };
  }
}
