import type { NextFunction, Request, Response } from 'express';

/** Our own style sheet and pictures, forms to ourselves, nothing else: pages have no script to be injected into. */
const POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "img-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** For pages with our own script, which asks this site alone. */
export const LIVE_POLICY = `${POLICY}; script-src 'self'; connect-src 'self'`;

/**
 * On every response, pictures and errors included. `Strict-Transport-Security` is missing on purpose: it belongs to whatever speaks
 * HTTPS in front of this process, and would lock http://localhost up.
 */
export function securityHeaders(_request: Request, response: Response, next: NextFunction): void {
  response.set({
    'Content-Security-Policy': POLICY,
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    // Not 'no-referrer': browsers would then send `Origin: null` with our own forms.
    'Referrer-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
  });
  next();
}

/**
 * Every page greets whoever is logged in, and counts the cart. None may be kept, by a shared cache or by the browser: after
 * logging out, the back button has to ask the server.
 */
export function neverStore(_request: Request, response: Response, next: NextFunction): void {
  response.set('Cache-Control', 'no-store');
  next();
}
