// Modal dialogs. The safe button has the focus; the dangerous one carries its verb.

import { h } from './dom';
import { ApiError } from './api';
import { complain, describe } from './toast';

/** Shows a form in a dialog; `submit` runs while it stays open and its problem is shown inside. */
export function formDialog(
  title: string,
  content: HTMLElement,
  verb: string,
  submit: () => Promise<void>,
  danger = false,
): void {
  const cancel = h('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel');
  const send = h('button', { type: 'submit', class: danger ? 'danger' : 'primary' }, verb);
  const problem = h('div', { class: 'problem', role: 'alert' });
  const form = h('form', { method: 'dialog', novalidate: true }, h('h2', {}, title), content, problem,
    h('div', { class: 'row end' }, cancel, send));
  const dialog = h('dialog', { 'aria-label': title }, form);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (!form.reportValidity() || send.disabled) return;
    send.disabled = true;
    problem.replaceChildren();
    submit().then(
      () => dialog.close(),
      (error: unknown) => {
        if (error instanceof ApiError) problem.replaceChildren(describe(error.problem));
        else complain(error);
      },
    ).finally(() => {
      send.disabled = false;
    });
  });
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  (content.querySelector<HTMLElement>('input, select, textarea') ?? cancel).focus();
}

/** Asks for a reason, which the journal keeps. */
export function askReason(title: string, verb: string, submit: (reason: string) => Promise<void>, danger = false): void {
  const input = h('input', { name: 'reason', required: true, maxlength: 120, autocomplete: 'off' });
  const content = h('label', {}, 'Reason (kept in the journal)', input);
  formDialog(title, content, verb, () => submit(input.value.trim()), danger);
}
