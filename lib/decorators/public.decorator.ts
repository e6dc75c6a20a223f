import { SetMetadata, type CustomDecorator } from '@nestjs/common';
import { PUBLIC_KEY } from './access';

/**
 * Exempts a handler or a controller from an `AuthGuard` of a wider scope, for all named instances. A decorator of the handler takes
 * precedence over one of its controller. An `AuthGuard` or `@RequireRoles` on the same target takes precedence over this.
 */
export function Public(): CustomDecorator<symbol> {
  return SetMetadata(PUBLIC_KEY, true);
}
