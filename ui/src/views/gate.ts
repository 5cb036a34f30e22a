// Before the login: login and first-run setup.

import { ApiError, login, setup, setupNeeded } from '../api';
import { h } from '../dom';
import { complain, describe } from '../toast';
import type { Me } from '../types';

function card(title: string, ...children: (Node | null)[]): HTMLElement {
  return h('main', { class: 'gate' }, h('h1', {}, 'Argonaut'), h('h2', {}, title), ...children);
}

function form(fields: HTMLElement[], verb: string, submit: () => Promise<void>): HTMLFormElement {
  const problem = h('div', { class: 'problem', role: 'alert' });
  const button = h('button', { type: 'submit', class: 'primary' }, verb);
  const element = h('form', {}, ...fields, problem, button);
  element.addEventListener('submit', (event) => {
    event.preventDefault();
    button.disabled = true;
    problem.replaceChildren();
    submit().catch((error: unknown) => {
      if (error instanceof ApiError) problem.replaceChildren(describe(error.problem));
      else complain(error);
    }).finally(() => {
      button.disabled = false;
    });
  });
  return element;
}

export function showLogin(root: HTMLElement, done: (me: Me) => void): void {
  const name = h('input', { name: 'name', autocomplete: 'username', required: true, autocapitalize: 'none', spellcheck: 'false' });
  const password = h('input', { name: 'password', type: 'password', autocomplete: 'current-password', required: true });
  const hint = h('p', { class: 'hint', hidden: true },
    'There is no user yet. Open the one-time link that argonaut printed on its console to create the administrator.');
  void setupNeeded().then((needed) => { hint.hidden = !needed; }, () => undefined);
  const element = form(
    [h('label', {}, 'Name', name), h('label', {}, 'Password', password)],
    'Log in',
    async () => done(await login(name.value, password.value)),
  );
  root.replaceChildren(card('Log in', hint, element));
  name.focus();
}

export function showSetup(root: HTMLElement, token: string, done: (me: Me) => void): void {
  const name = h('input', { name: 'name', autocomplete: 'username', required: true, value: 'admin', autocapitalize: 'none', spellcheck: 'false' });
  const password = h('input', { name: 'password', type: 'password', autocomplete: 'new-password', required: true, minlength: 12 });
  const again = h('input', { name: 'again', type: 'password', autocomplete: 'new-password', required: true });
  again.addEventListener('input', () => again.setCustomValidity(again.value === password.value ? '' : 'The passwords differ.'));
  const element = form(
    [
      h('label', {}, 'Name', name),
      h('label', {}, 'Password, at least 12 characters', password),
      h('label', {}, 'Password again', again),
    ],
    'Create the administrator',
    async () => {
      await setup(token, name.value, password.value);
      const me = await login(name.value, password.value);
      history.replaceState(null, '', '/');
      done(me);
    },
  );
  root.replaceChildren(card('First run: create the administrator', element));
  password.focus();
}
