// Small helpers to make and update elements.

type Child = Node | string | null | false;

export interface Props {
  class?: string;
  title?: string;
  type?: string;
  id?: string;
  [name: string]: string | number | boolean | ((event: never) => void) | undefined;
}

/** An element: `on*` members become listeners, `true` an empty attribute, `false` and undefined nothing. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name.slice(2), value as EventListener);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.filter((child): child is Node | string => child !== null && child !== false));
  return element;
}

/** Sets the text only when it differs, so that nothing flickers and selections stay. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function setClass(element: Element, name: string): void {
  if (element.className !== name) element.className = name;
}

/** One column of a table. `text` is compared and set; `node` is made once for each row. */
export interface Column<T> {
  head: string;
  numeric?: boolean;
  text?: (row: T) => string;
  tone?: (row: T) => string;
  title?: (row: T) => string;
  /** Made once; `row` gives the newest state of the row when it is called later. */
  node?: (row: () => T) => { element: HTMLElement; update?: (row: T) => void };
}

interface Row<T> {
  data: T;
  element: HTMLTableRowElement;
  update: (data: T) => void;
}

/** A table whose rows keep their elements while their content changes. */
export class Table<T> {
  readonly element: HTMLElement;
  private readonly body = h('tbody');
  private readonly rows = new Map<string, Row<T>>();
  private readonly empty: HTMLElement;

  constructor(
    label: string,
    emptyText: string,
    private readonly columns: readonly Column<T>[],
    private readonly key: (row: T) => string,
  ) {
    const heads = columns.map((column) => h('th', { scope: 'col', class: column.numeric ? 'num' : '' }, column.head));
    this.empty = h('p', { class: 'empty' }, emptyText);
    const table = h('table', { 'aria-label': label }, h('thead', {}, h('tr', {}, ...heads)), this.body);
    this.element = h('div', {}, h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': label }, table), this.empty);
  }

  update(list: readonly T[]): void {
    const seen = new Set<string>();
    let before: ChildNode | null = this.body.firstChild;
    for (const data of list) {
      const key = this.key(data);
      seen.add(key);
      let row = this.rows.get(key);
      if (!row) {
        row = this.make(data);
        this.rows.set(key, row);
      }
      row.data = data;
      row.update(data);
      if (before === row.element) before = row.element.nextSibling;
      else this.body.insertBefore(row.element, before);
    }
    for (const [key, row] of this.rows) {
      if (seen.has(key)) continue;
      row.element.remove();
      this.rows.delete(key);
    }
    this.empty.hidden = list.length > 0;
  }

  private make(data: T): Row<T> {
    const updates: ((data: T) => void)[] = [];
    const element = h('tr');
    const row: Row<T> = { data, element, update: (next) => updates.forEach((update) => update(next)) };
    for (const column of this.columns) {
      const cell = h('td', { class: column.numeric ? 'num' : '', 'data-head': column.head });
      if (column.node) {
        const made = column.node(() => row.data);
        cell.append(made.element);
        if (made.update) updates.push(made.update);
      }
      const { text, tone, title } = column;
      if (text) updates.push((next) => setText(cell, text(next)));
      if (tone) updates.push((next) => setClass(cell, `${column.numeric ? 'num ' : ''}${tone(next)}`));
      if (title) updates.push((next) => { cell.title = title(next); });
      element.append(cell);
    }
    return row;
  }
}

/** A section with its heading. */
export function panel(title: string, id: string, ...children: Child[]): HTMLElement {
  return h('section', { class: 'panel', id, 'aria-labelledby': `${id}-title` }, h('h2', { id: `${id}-title` }, title), ...children);
}
