// What every view gets: the store, and whether the user may act.

import type { Role } from '../types';
import type { Store } from '../store';

export interface View {
  element: HTMLElement;
  update(): void;
}

const RANK: Record<Role, number> = { viewer: 0, trader: 1, admin: 2 };

/** Disables a button with the reason in its tooltip when the user may not press it or the link is down. */
export function permit(store: Store, button: HTMLButtonElement, needed: Role, allowed = true, why = ''): void {
  const role = store.me?.role ?? 'viewer';
  let reason = '';
  if (RANK[role] < RANK[needed]) reason = `Needs the role ${needed}.`;
  else if (store.link !== 'live') reason = 'No live connection.';
  else if (!allowed) reason = why;
  button.disabled = reason !== '';
  button.title = reason;
}
