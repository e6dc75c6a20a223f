import { SetMetadata, type CustomDecorator } from '@nestjs/common';
import { PUBLIC } from './access';

/** Opens a handler or a controller that an `AuthGuard` would close. A handler's own word counts more than its controller's. */
export function Public(): CustomDecorator<symbol> {
  return SetMetadata(PUBLIC, true);
}
