import { resolve } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { FormValidationPipe } from './web/form-validation.pipe';
import { neverStore, securityHeaders } from './web/security-headers';
import { useViews } from './web/views';

const root = resolve(__dirname, '..');

/** Everything between `create` and `listen`; main.ts and the tests share it. The order of the middleware matters. */
export function configureSite(app: NestExpressApplication): void {
  app.disable('x-powered-by');
  app.use(securityHeaders);
  app.useStaticAssets(resolve(root, 'public'), { index: false });
  app.use(neverStore);
  useViews(app, resolve(root, 'views'));
  app.useGlobalPipes(new FormValidationPipe());
}
