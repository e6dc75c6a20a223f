import { SetMetadata, type CustomDecorator } from '@nestjs/common';
import { PUBLIC } from './access';

/**
 * Opens a handler or a controller that an `AuthGuard` would close. A handler's own word counts more than its controller's, and a
 * guard or roles in the same place more than this: it opens what is closed from further away, for every named instance.
 */
export function Public(): CustomDecorator<symbol> {
  return SetMetadata(PUBLIC, true);
}
