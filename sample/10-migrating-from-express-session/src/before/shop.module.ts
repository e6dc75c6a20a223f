import { Module } from '@nestjs/common';
import { LocalStrategy } from './local.strategy';
import { LoginController } from './login.controller';
import { ShopController } from './shop.controller';
import { UserSerializer } from './user.serializer';
import { UsersModule } from './users.module';

@Module({
  imports: [UsersModule],
  controllers: [ShopController, LoginController],
  providers: [LocalStrategy, UserSerializer],
})
export class ShopModule {}
