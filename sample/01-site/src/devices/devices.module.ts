import { Module } from '@nestjs/common';
import { LiveModule } from '../live/live.module';
import { DevicesController } from './devices.controller';

@Module({ imports: [LiveModule], controllers: [DevicesController] })
export class DevicesModule {}
