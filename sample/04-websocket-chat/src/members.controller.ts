import { Controller, Delete, HttpCode, Param, UseGuards } from '@nestjs/common';
import { AuthGuard, RequireRoles, SessionRegistry } from 'nestjs-tessera';

@UseGuards(AuthGuard)
@Controller('members')
export class MembersController {
  constructor(private readonly registry: SessionRegistry) {}

  /** Ends every session of a member. The sockets that were opened with them are closed within a second, in every process. */
  @RequireRoles('moderator')
  @Delete(':name')
  @HttpCode(204)
  async remove(@Param('name') name: string): Promise<void> {
    await this.registry.endAll({ id: name }, { reason: 'removed by a moderator' });
  }
}
