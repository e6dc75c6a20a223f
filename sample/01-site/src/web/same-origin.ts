import { ForbiddenException } from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';

const SAFE = ['GET', 'HEAD', 'OPTIONS'];

/**
 * CSRF: a page of another site must not be able to make a visitor's browser post here.
 *
 * The session cookie is `SameSite=Lax`, so another *site*'s POST comes without it. That leaves other hosts of the same
 * site (evil.example.com against www.example.com), and browsers that do not know the attribute. So every request that may change
 * something has to say where it comes from, in a header that no page can write:
 *
 * - `Sec-Fetch-Site`, which browsers send over HTTPS and to localhost: `same-origin`, or `none` when a person did it
 *   without a page, by sending a form again after a restart for instance.
 * - `Origin` otherwise: the host we were asked for.
 *
 * Neither of them: no browser of this decade, and this site is for browsers. An API would ask for a header of its own instead.
 * GET changes nothing that matters here, and must not: it passes.
 */
export function refuseOtherOrigins(request: Request, _response: Response, next: NextFunction): void {
  if (SAFE.includes(request.method) || comesFromHere(request)) next();
  else next(new ForbiddenException('This form was not sent from our own pages'));
}

function comesFromHere({ headers }: Request): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  const { origin = '', host } = headers;
  return URL.canParse(origin) && new URL(origin).host === host;
}
