// Strategies: what runs, and the form that deploys one, made from the kind's JSON Schema.

import { api } from '../api';
import { formDialog } from '../dialog';
import { h, panel, Table } from '../dom';
import { decimal, direction, signed } from '../format';
import type { Store } from '../store';
import { act } from '../toast';
import type { Kind, ParamSchema, ParamValue, Position, Strategy } from '../types';
import type { View } from './context';
import { permit } from './context';

interface Field {
  element: HTMLElement;
  value(): ParamValue | undefined;
}

function field(name: string, schema: ParamSchema, required: boolean, given: ParamValue | undefined): Field {
  const start = given ?? schema.default;
  const label = (input: HTMLElement, range = ''): HTMLElement =>
    h('label', { title: schema.description }, `${schema.title}${range}`, input, h('small', {}, schema.description));
  if (schema.type === 'boolean') {
    const input = h('input', { type: 'checkbox', name });
    input.checked = start === true;
    return { element: label(input), value: () => input.checked };
  }
  if (schema.enum) {
    const input = h('select', { name }, ...schema.enum.map((choice) => h('option', { value: choice, selected: choice === start }, choice)));
    return { element: label(input), value: () => input.value };
  }
  if (schema.type === 'integer') {
    const input = h('input', { type: 'number', name, step: 1, min: schema.minimum, max: schema.maximum, required, value: start === undefined ? '' : String(start) });
    return {
      element: label(input, ` (${schema.minimum ?? ''} to ${schema.maximum ?? ''})`),
      value: () => (input.value === '' ? undefined : Number(input.value)),
    };
  }
  const input = h('input', { name, inputmode: 'decimal', autocomplete: 'off', required, pattern: '-?[0-9]+(\\.[0-9]+)?', value: start === undefined ? '' : String(start) });
  return {
    element: label(input, ` (${schema['x-minimum'] ?? ''} to ${schema['x-maximum'] ?? ''})`),
    value: () => (input.value === '' ? undefined : input.value),
  };
}

/** The fields of a kind and the parameters they hold. */
function paramForm(kind: Kind, given: Record<string, ParamValue> = {}): { element: HTMLElement; params(): Record<string, ParamValue> } {
  const fields = Object.entries(kind.schema.properties).map(
    ([name, schema]) => [name, field(name, schema, kind.schema.required.includes(name), given[name])] as const,
  );
  return {
    element: h('div', { class: 'grid' }, ...fields.map(([, f]) => f.element)),
    params: () => {
      const values = fields.map(([name, f]) => [name, f.value()] as const);
      return Object.fromEntries(values.filter((entry): entry is readonly [string, ParamValue] => entry[1] !== undefined));
    },
  };
}

function deploy(store: Store): void {
  const kindSelect = h('select', { name: 'kind' }, ...store.kinds.map((kind) => h('option', { value: kind.name }, kind.title)));
  const name = h('input', { name: 'name', required: true, maxlength: 32, autocomplete: 'off' });
  const about = h('p', { class: 'hint' });
  const boxes = store.instruments.map((instrument) => h('input', { type: 'checkbox', value: instrument.symbol, name: 'instruments' }));
  if (boxes[0]) boxes[0].checked = true;
  const instruments = h('fieldset', {}, h('legend', {}, 'Instruments'),
    h('div', { class: 'choices' }, ...boxes.map((box) => h('label', { class: 'choice' }, box, box.value))));
  const slot = h('div');
  let params: () => Record<string, ParamValue> = () => ({});
  const choose = (): void => {
    const kind = store.kinds.find((k) => k.name === kindSelect.value);
    if (!kind) return;
    const form = paramForm(kind);
    about.textContent = `${kind.description} Instruments: ${kind.instruments}.`;
    slot.replaceChildren(form.element);
    params = form.params;
    if (name.value === '' || store.kinds.some((k) => k.title === name.value)) name.value = kind.title.slice(0, 32);
  };
  kindSelect.addEventListener('change', choose);
  choose();
  const content = h('div', { class: 'stack' }, h('label', {}, 'Kind', kindSelect), about, h('label', {}, 'Your name for it', name), instruments, slot);
  formDialog('Deploy a strategy', content, 'Deploy', async () => {
    const symbols = boxes.filter((box) => box.checked).map((box) => box.value);
    await api('POST', 'strategies', { kind: kindSelect.value, name: name.value, instruments: symbols, params: params() });
  });
}

function redeploy(store: Store, strategy: Strategy): void {
  const kind = store.kinds.find((k) => k.name === strategy.kind);
  if (!kind) return;
  const form = paramForm(kind, strategy.params);
  formDialog(`New parameters for ${strategy.name} (version ${strategy.version})`, form.element, 'Redeploy', async () => {
    await api('PUT', `strategies/${strategy.id}`, { params: form.params() });
  });
}

function rowsOf(store: Store, strategy: Strategy): Position[] {
  return [...store.positions.values()].filter((p) => p.strategy === strategy.id);
}

/** One figure for each instrument: sums across currencies are the server's business. */
function figures(rows: Position[], pick: (p: Position) => string | null): string {
  if (rows.length === 0) return '–';
  return rows.map((p) => `${signed(pick(p), 2)}${rows.length > 1 ? ` ${p.instrument}` : ''}`).join(', ');
}

export function strategies(store: Store): View {
  const add = h('button', { type: 'button', class: 'primary' }, 'Deploy a strategy');
  add.addEventListener('click', () => deploy(store));
  const button = (text: string, path: string, done: string, row: () => Strategy): HTMLButtonElement => {
    const element = h('button', { type: 'button', class: 'small' }, text);
    element.addEventListener('click', () => void act(element, () => api('POST', `strategies/${row().id}/${path}`), done));
    return element;
  };
  const table = new Table<Strategy>('Strategies', 'No strategy is deployed.', [
    { head: 'No.', numeric: true, text: (s) => String(s.id) },
    { head: 'Name', text: (s) => s.name, title: (s) => s.kind },
    { head: 'Instruments', text: (s) => s.instruments.join(', ') },
    { head: 'State', text: (s) => (s.restarts > 0 ? `${s.state}, ${s.restarts} restarts` : s.state), tone: (s) => `state-${s.state}` },
    { head: 'Position', numeric: true, text: (s) => rowsOf(store, s).map((p) => decimal(p.position)).join(', ') || '–' },
    { head: 'Unrealised', numeric: true, text: (s) => figures(rowsOf(store, s), (p) => p.unrealised), tone: (s) => direction(rowsOf(store, s)[0]?.unrealised) },
    { head: 'Realised', numeric: true, text: (s) => figures(rowsOf(store, s), (p) => p.realised), tone: (s) => direction(rowsOf(store, s)[0]?.realised) },
    { head: 'Version', numeric: true, text: (s) => String(s.version), title: (s) => JSON.stringify(s.params) },
    {
      head: '',
      node: (row) => {
        const pause = button('Pause', 'pause', 'Paused.', row);
        const resume = button('Resume', 'resume', 'Resumed.', row);
        const stop = button('Stop', 'stop', 'Stopped; its position stays.', row);
        const change = h('button', { type: 'button', class: 'small' }, 'Parameters');
        change.addEventListener('click', () => redeploy(store, row()));
        return {
          element: h('span', { class: 'row' }, pause, resume, stop, change),
          update: (s) => {
            pause.hidden = s.state !== 'running';
            resume.hidden = s.state === 'running' || s.state === 'stopped';
            stop.hidden = s.state === 'stopped';
            change.hidden = s.state === 'stopped';
            for (const b of [pause, resume, stop, change]) permit(store, b, 'trader');
          },
        };
      },
    },
  ], (strategy) => String(strategy.id));
  return {
    element: panel('Strategies', 'strategies', h('div', { class: 'row end' }, add), table.element),
    update() {
      permit(store, add, 'trader', store.kinds.length > 0, 'The kinds are not known yet.');
      const order = { running: 0, faulted: 1, paused: 2, stopped: 3 };
      table.update([...store.strategies.values()].sort((a, b) => order[a.state] - order[b.state] || b.id - a.id));
    },
  };
}
