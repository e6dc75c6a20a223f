import { Controller, Delete, Get, HttpCode, NotFoundException, Param } from '@nestjs/common';
import { Principal, RecentLogin, SessionRegistry } from 'nestjs-tessera';

@Controller('devices')
export class DevicesController {
  constructor(private readonly registry: SessionRegistry) {}

  @Get()
  async list(@Principal() user: Principal): Promise<object[]> {
    const sessions = await this.registry.list(user); // the last used first
    return sessions.map(({ id, isCurrent, device, lastSeenAt }) => ({
      id,
      isCurrent,
      name: device?.label,
      lastSeenAt: new Date(lastSeenAt),
    }));
  }

  @RecentLogin('10m')
  @Delete(':id')
  @HttpCode(204)
  async end(@Principal() user: Principal, @Param('id') id: string): Promise<void> {
    // With `principal`, so that a user can end no session of another.
    if (!(await this.registry.end(id, { principal: user }))) throw new NotFoundException();
  }

  /** All but this one, which gets a new token. */
  @RecentLogin('10m')
  @Delete()
  @HttpCode(204)
  async endOthers(): Promise<void> {
    await this.registry.endOthers();
  }
}
