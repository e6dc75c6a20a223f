import { Render, SetMetadata, UseInterceptors, applyDecorators } from '@nestjs/common';
import { PAGE_TITLE, PageInterceptor } from './page.interceptor';

/** A handler that answers with a page: what it returns goes into the view, inside the frame that all pages share. */
export function Page(view: string, title: string): MethodDecorator {
  return applyDecorators(Render(view), SetMetadata(PAGE_TITLE, title), UseInterceptors(PageInterceptor));
}
