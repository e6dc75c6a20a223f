import { resolve } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { create } from 'hbs';
import { instant, lengthOfTime } from './words';
import { mosaic } from './mosaic';

/** Handlebars views: `layout.hbs` around each, and the pieces in `partials/`. */
export function useViews(app: NestExpressApplication, folder: string): void {
  const hbs = create();
  hbs.registerPartials(resolve(folder, 'partials'));
  hbs.registerHelper('instant', (at: Date | number) => new hbs.SafeString(instant(at)));
  hbs.registerHelper('lengthOfTime', (milliseconds: number) => lengthOfTime(milliseconds));
  hbs.registerHelper('mosaic', (picture: string) => new hbs.SafeString(mosaic(picture)));
  app.engine('hbs', hbs.__express);
  app.setBaseViewsDir(folder);
  app.setViewEngine('hbs');
}
