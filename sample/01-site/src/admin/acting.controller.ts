import {
  Body,
  Controller,
  ForbiddenException,
  NotFoundException,
  Post,
  Redirect,
  UseGuards,
} from '@nestjs/common';
import { Actor, AuthGuard, Principal, RequireRoles, Session } from 'nestjs-tessera';
import { UsersService } from '../users/users.service';
import { seeOther, type SeeOther } from '../web/see-other';
import { tell } from '../web/tell';
import { UserDto } from './user.dto';

/** An administrator sees the site as a member does, with a bar on every page that says so. */
@Controller('acting')
export class ActingController {
  constructor(private readonly users: UsersService) {}

  /** The administrator's cart and messages wait in the session meanwhile. Nobody gets another administrator's rights in this way. */
  @Post()
  @RequireRoles('admin')
  @Redirect()
  async begin(@Body() { user: id }: UserDto, @Session() session: Session): Promise<SeeOther> {
    const user = await this.users.find(id);
    if (user === null) throw new NotFoundException();
    if (user.role !== 'member') throw new ForbiddenException('You can act as a member only');
    session.actAs({ id: user.id, roles: [user.role] });
    session.setConstant('name', user.name);
    return seeOther('/');
  }

  /** The guard sees the member here: the administrator is `@Actor()`. */
  @Post('stop')
  @UseGuards(AuthGuard)
  @Redirect()
  stop(@Actor() actor: Principal | null, @Session() session: Session): SeeOther {
    if (actor === null) return seeOther('/');
    const name = session.constant('name');
    session.stopActing();
    tell(session, 'notice', `You are yourself again, and no longer ${name}.`);
    return seeOther('/admin');
  }
}
