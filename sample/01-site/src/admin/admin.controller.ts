import { Controller, Get } from '@nestjs/common';
import { RequireRoles } from 'nestjs-tessera';
import { UsersService } from '../users/users.service';
import { Page } from '../web/page.decorator';

/** 401 for visitors, 403 for members. The role was fixed by `login`; nothing a browser sends can change it. */
@Controller('admin')
@RequireRoles('admin')
export class AdminController {
  constructor(private readonly users: UsersService) {}

  @Get()
  @Page('admin', 'Admin')
  async show(): Promise<object> {
    const users = await this.users.all();
    return { users: users.map((user) => ({ ...user, isMember: user.role === 'member' })) };
  }
}
