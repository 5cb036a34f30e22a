// Browses the OpenAPI document of this server.

import { h } from './dom';

interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  oneOf?: Schema[];
  allOf?: Schema[];
  example?: unknown;
}
interface Content {
  content?: Record<string, { schema?: Schema }>;
  description?: string;
}
interface Operation {
  tags?: string[];
  summary?: string;
  description?: string;
  security?: unknown[];
  parameters?: { name: string; in: string; required?: boolean; description?: string; schema?: Schema }[];
  requestBody?: Content;
  responses: Record<string, Content>;
}
interface Document {
  info: { title: string; description?: string; version: string };
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

function typeName(schema: Schema | undefined): string {
  if (!schema) return '';
  if (schema.$ref) return schema.$ref.split('/').at(-1) ?? '';
  if (schema.oneOf) return schema.oneOf.map(typeName).join(' or ');
  const type = Array.isArray(schema.type) ? schema.type.join(' or ') : (schema.type ?? 'any');
  return schema.type === 'array' ? `list of ${typeName(schema.items)}` : `${type}${schema.format ? ` (${schema.format})` : ''}`;
}

function fields(document: Document, schema: Schema | undefined, depth: number): HTMLElement | null {
  if (!schema || depth > 4) return null;
  if (schema.$ref) return fields(document, document.components.schemas[schema.$ref.split('/').at(-1) ?? ''], depth);
  if (schema.items) return fields(document, schema.items, depth);
  const parts = [...(schema.oneOf ?? []), ...(schema.allOf ?? [])].map((part) => fields(document, part, depth + 1));
  const properties = Object.entries(schema.properties ?? {});
  if (properties.length === 0 && parts.every((part) => part === null)) return null;
  const rows = properties.map(([name, property]) => h('li', {}, h('code', {}, name),
    ` ${typeName(property)}${schema.required?.includes(name) ? '' : ', optional'}`,
    property.description ? h('span', { class: 'hint' }, ` ${property.description}`) : null,
    property.example === undefined ? null : h('span', { class: 'hint' }, ` For example ${JSON.stringify(property.example)}.`),
    fields(document, property, depth + 1)));
  return h('ul', { class: 'schema' }, ...rows, ...parts);
}

function body(document: Document, title: string, content: Content): HTMLElement {
  const schema = Object.values(content.content ?? {})[0]?.schema;
  return h('div', {}, h('h4', {}, `${title} ${typeName(schema)}`), content.description ? h('p', { class: 'hint' }, content.description) : null,
    fields(document, schema, 0));
}

function operation(document: Document, path: string, method: string, op: Operation): HTMLElement {
  const parameters = (op.parameters ?? []).map((p) => h('li', {}, h('code', {}, p.name), ` in ${p.in}, ${typeName(p.schema)}${p.required ? '' : ', optional'} ${p.description ?? ''}`));
  const open = (op.security ?? []).length === 0;
  return h('details', { class: 'operation' },
    h('summary', {}, h('span', { class: `method ${method}` }, method.toUpperCase()), h('code', {}, path), ` ${op.summary ?? ''}`, open ? h('span', { class: 'hint' }, ' no login') : null),
    op.description ? h('p', {}, op.description) : null,
    parameters.length > 0 ? h('div', {}, h('h4', {}, 'Parameters'), h('ul', { class: 'schema' }, ...parameters)) : null,
    op.requestBody ? body(document, 'Body', op.requestBody) : null,
    ...Object.entries(op.responses).map(([status, content]) => body(document, status, content)));
}

async function show(): Promise<void> {
  const response = await fetch('/api/v1/openapi.json');
  const document = (await response.json()) as Document;
  const groups = new Map<string, HTMLElement[]>();
  for (const [path, item] of Object.entries(document.paths)) {
    for (const [method, op] of Object.entries(item)) {
      const tag = op.tags?.[0] ?? 'other';
      groups.set(tag, [...(groups.get(tag) ?? []), operation(document, path, method, op)]);
    }
  }
  const filter = h('input', { type: 'search', placeholder: 'Filter, for example orders', 'aria-label': 'Filter' });
  const sections = [...groups].map(([tag, list]) => h('section', { class: 'panel' }, h('h2', {}, tag), ...list));
  filter.addEventListener('input', () => {
    const word = filter.value.toLowerCase();
    for (const section of sections) {
      const items = [...section.querySelectorAll<HTMLElement>('.operation')];
      items.forEach((item) => { item.hidden = !(item.textContent ?? '').toLowerCase().includes(word); });
      section.hidden = items.every((item) => item.hidden);
    }
  });
  const main = h('main', { class: 'docs' }, h('h1', {}, `${document.info.title} API ${document.info.version}`),
    h('p', {}, document.info.description ?? ''), h('p', {}, h('a', { href: '/api/v1/openapi.json' }, 'The document as JSON'), ' · ', h('a', { href: '/' }, 'Control page')), filter, ...sections);
  (window.document.getElementById('app') ?? window.document.body).replaceChildren(main);
}

show().catch((error: unknown) => {
  document.body.append(h('p', { class: 'problem' }, `The document cannot be shown: ${String(error)}`));
});
