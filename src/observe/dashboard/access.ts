/**
 * Who may see and do what. On loopback everyone on the machine may look, under a loopback name only (against DNS
 * rebinding); elsewhere a token is needed, brought once in the address and kept in a cookie. What acts on a run needs
 * the same origin and the token in a header. On loopback the page has it from the address that was printed and from
 * nowhere else, since every user of the machine gets the page; elsewhere who gets the page has shown the token.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Context, MiddlewareHandler } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { tokenHeader } from './protocol';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\]|::1)$/i;

export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}

export function newToken(): string {
  return randomBytes(24).toString('base64url');
}

/** In constant time, whatever the lengths. */
function same(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

export interface Access {
  /** Name or address that the server listens on. */
  host: string;
  token: string;
}

/** The token as the page may hold it: none where everyone gets the page. */
export function pageToken({ host, token }: Access): string {
  return isLoopback(host) ? '' : token;
}

const hostOf = (context: Context): string => context.req.header('host') ?? '';
const cookieOf = (host: string): string => `zero-rl-${/:(\d+)$/.exec(host)?.[1] ?? '80'}`;

/** Lets in who may look. */
export function guard({ host, token }: Access): MiddlewareHandler {
  return async (context, next) => {
    const asked = hostOf(context);
    if (isLoopback(host)) {
      if (!isLoopback(asked.replace(/:\d+$/, ''))) return context.text('Open the dashboard as localhost.', 403);
      return next();
    }
    const given = context.req.query('token');
    if (given !== undefined && same(given, token)) {
      setCookie(context, cookieOf(asked), token, { httpOnly: true, sameSite: 'Strict', path: '/' });
      return context.redirect('/');
    }
    if (!same(getCookie(context, cookieOf(asked)) ?? '', token))
      return context.text('Open the address with ?token= that zero-rl dashboard printed.', 401);
    return next();
  };
}

/** Lets in what may act. */
export function actGuard({ token }: Access): MiddlewareHandler {
  return async (context, next) => {
    const origin = context.req.header('origin');
    const site = context.req.header('sec-fetch-site');
    const foreign = (origin ?? '').replace(/^https?:\/\//, '') !== hostOf(context);
    if (foreign || (site !== undefined && site !== 'same-origin'))
      return context.json({ error: 'Requests that act must come from the page of the dashboard' }, 403);
    if (!same(context.req.header(tokenHeader) ?? '', token))
      return context.json(
        { error: 'The token is missing or wrong; open the address that zero-rl dashboard printed' },
        403,
      );
    return next();
  };
}
