import type { FormFields, Session } from 'nestjs-tessera';
import { countItems } from '../shop/cart';
import type { FormReport } from './form.exception';
import { whyEnded } from './why-ended';

/** What every page shows around its own content. */
export interface Frame {
  readonly title: string;
  readonly links: readonly { readonly href: string; readonly label: string; readonly current: boolean }[];
  readonly user: { readonly name: string; readonly initial: string } | null;
  /** Whether an administrator acts as the user. */
  readonly acting: boolean;
  readonly items: number;
  readonly notices: readonly string[];
  readonly warnings: readonly string[];
  /** What is wrong with the form that was sent, if it was refused. */
  readonly refused: FormReport | undefined;
  /** What was typed into it. */
  readonly values: FormFields;
}

const PLACES = [
  { href: '/', label: 'Home' },
  { href: '/shop', label: 'Shop' },
  { href: '/members', label: 'Members' },
];
const ADMIN = { href: '/admin', label: 'Admin' };

/** Reads the flash messages and the form, which are gone with that. */
export function frameOf(session: Session, path: string, title: string): Frame {
  const { principal } = session;
  const name = session.constant('name') ?? 'friend';
  const ended = whyEnded(session.endedBecause);
  const places = principal?.roles.includes('admin') ? [...PLACES, ADMIN] : PLACES;
  return {
    title,
    links: places.map((place) => ({ ...place, current: place.href === path })),
    user: principal === null ? null : { name, initial: [...name][0]!.toUpperCase() },
    acting: session.actor !== null,
    items: countItems(session.get('cart')),
    notices: session.messages('notice'),
    warnings: [...(ended === null ? [] : [ended]), ...session.messages('warning')],
    refused: session.messages('form').at(-1),
    values: session.oldInput(),
  };
}

/** The frame of a page that leaves the session alone: neither the store nor the cookie is touched for it. */
export function bareFrame(title: string): Frame {
  const links = PLACES.map((place) => ({ ...place, current: false }));
  const nothing = { items: 0, notices: [], warnings: [], refused: undefined, values: {} };
  return { title, links, user: null, acting: false, ...nothing };
}
