import { Header, applyDecorators } from '@nestjs/common';
import { LIVE_POLICY } from '../web/security-headers';
import { Page } from '../web/page.decorator';

/** A page with the script of public/live.js, which no other page may run. */
export function LivePage(view: string, title: string): MethodDecorator {
  return applyDecorators(Page(view, title), Header('Content-Security-Policy', LIVE_POLICY));
}
