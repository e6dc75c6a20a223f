import type { Session } from 'nestjs-tessera';
import { countItems } from '../shop/cart';
import type { FormReport } from './form.exception';

/** What every page shows around its own content. */
export interface Frame {
  readonly title: string;
  readonly links: readonly { readonly href: string; readonly label: string; readonly current: boolean }[];
  readonly user: { readonly name: string; readonly initial: string } | null;
  readonly items: number;
  readonly notices: readonly string[];
  readonly warnings: readonly string[];
  readonly form: FormReport | undefined;
  /** Whether the form was refused; otherwise it is only filled in. */
  readonly refused: boolean;
}

const PLACES = [
  { href: '/', label: 'Home' },
  { href: '/shop', label: 'Shop' },
  { href: '/members', label: 'Members' },
];
const ADMIN = { href: '/admin', label: 'Admin' };

/** Reads the flash messages, which are gone with that. */
export function frameOf(session: Session, path: string, title: string): Frame {
  const { principal } = session;
  const name = session.constant('name') ?? 'friend';
  const form = session.messages('form').at(-1);
  const places = principal?.roles.includes('admin') ? [...PLACES, ADMIN] : PLACES;
  return {
    title,
    links: places.map((place) => ({ ...place, current: place.href === path })),
    user: principal === null ? null : { name, initial: [...name][0]!.toUpperCase() },
    items: countItems(session.get('cart')),
    notices: session.messages('notice'),
    warnings: session.messages('warning'),
    form,
    refused: form?.message !== undefined || form?.problems !== undefined,
  };
}

/** The frame of a page that leaves the session alone: neither the store nor the cookie is touched for it. */
export function bareFrame(title: string): Frame {
  const links = PLACES.map((place) => ({ ...place, current: false }));
  return { title, links, user: null, items: 0, notices: [], warnings: [], form: undefined, refused: false };
}
