// Messages of the page: what was done, what was refused and why.

import { ApiError } from './api';
import { h } from './dom';
import type { Problem } from './types';

const host = h('div', { class: 'toasts', 'aria-live': 'polite', role: 'status' });
document.body.append(host);
const SHOWN_MAX = 4;

function add(element: HTMLElement, lifeMs: number | null): void {
  const close = h('button', { type: 'button', class: 'quiet', 'aria-label': 'Dismiss', onclick: () => element.remove() }, '×');
  element.append(close);
  host.append(element);
  while (host.children.length > SHOWN_MAX) host.firstElementChild?.remove();
  if (lifeMs !== null) window.setTimeout(() => element.remove(), lifeMs);
}

export function tell(text: string): void {
  add(h('div', { class: 'toast' }, h('p', {}, text)), 5_000);
}

/** A problem stays until it is dismissed: sentence, faults, code, and a button that copies all of it. */
export function complain(error: unknown): void {
  const problem: Problem = error instanceof ApiError
    ? error.problem
    : { status: 0, code: 'page_fault', title: `The page met a fault: ${String(error)}` };
  add(h('div', { class: 'toast problem', role: 'alert' }, describe(problem)), null);
}

/** The problem in words, for a toast or beside a form. */
export function describe(problem: Problem): HTMLElement {
  const code = problem.denial?.code ?? problem.code;
  const list = (problem.faults ?? []).map((fault) => h('li', {}, `${fault.field ? `${fault.field}: ` : ''}${fault.message}`));
  const numbers = problem.denial?.value ? `Value ${problem.denial.value}, limit ${problem.denial.limit ?? '–'}.` : '';
  const copy = h('button', {
    type: 'button',
    class: 'quiet',
    onclick: () => void navigator.clipboard.writeText(JSON.stringify(problem, null, 2)).then(() => tell('Copied.')),
  }, 'Copy');
  return h('div', {},
    h('p', {}, `${problem.title} ${numbers}`),
    list.length > 0 ? h('ul', {}, ...list) : null,
    h('p', { class: 'code' }, `${code}${problem.correlation_id ? ` · ${problem.correlation_id}` : ''} `, copy),
  );
}

/** Runs an action of a button: pending while it runs, its problem told. */
export async function act(button: HTMLButtonElement, work: () => Promise<unknown>, done?: string): Promise<boolean> {
  if (button.dataset['pending']) return false;
  button.dataset['pending'] = 'true';
  button.setAttribute('aria-busy', 'true');
  try {
    await work();
    if (done) tell(done);
    return true;
  } catch (error) {
    complain(error);
    return false;
  } finally {
    delete button.dataset['pending'];
    button.removeAttribute('aria-busy');
  }
}
