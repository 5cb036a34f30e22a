// Requests to the server. The access token lives in memory only; the refresh token in a cookie that no
// script can read.

import type { Me, Problem, Session } from './types';

/** The server refused, or could not be reached. */
export class ApiError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.title);
  }
}

let token: string | null = null;
let onLogout: () => void = () => undefined;

export function whenLoggedOut(handler: () => void): void {
  onLogout = handler;
}

async function send(method: string, path: string, body: unknown, headers: Record<string, string>): Promise<Response> {
  const init: RequestInit = { method, headers: { ...headers }, credentials: 'same-origin', cache: 'no-store' };
  const all = init.headers as Record<string, string>;
  if (token) all['authorization'] = `Bearer ${token}`;
  if (body !== undefined) {
    all['content-type'] = 'application/json';
    init.body = JSON.stringify(body);
  }
  try {
    return await fetch(`/api/v1/${path}`, init);
  } catch {
    throw new ApiError({ status: 0, code: 'unreachable', title: 'The server cannot be reached. Is argonaut running?' });
  }
}

async function read<T>(response: Response): Promise<T> {
  const text = await response.text();
  const json: unknown = text ? JSON.parse(text) : null;
  if (response.ok) return json as T;
  const problem = json as Problem | null;
  throw new ApiError(problem ?? { status: response.status, code: 'no_answer', title: 'The server gave no reason.' });
}

/** A request with the login; an expired access token is renewed once. */
export async function api<T>(
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<T> {
  let response = await send(method, path, body, headers);
  if (response.status === 401 && (await renew())) response = await send(method, path, body, headers);
  if (response.status === 401) onLogout();
  return read<T>(response);
}

let renewing: Promise<Me | null> | null = null;

/** Trades the cookie for a new access token. Tabs take turns: a refresh token used twice ends the login. */
export function renew(): Promise<Me | null> {
  renewing ??= exclusively(async () => {
    const response = await send('POST', 'auth/refresh', {}, {});
    if (!response.ok) {
      token = null;
      return null;
    }
    return accept(await read<Session>(response));
  }).finally(() => {
    renewing = null;
  });
  return renewing;
}

async function exclusively<T>(work: () => Promise<T>): Promise<T> {
  if (!('locks' in navigator)) return work();
  return (await navigator.locks.request('argonaut-refresh', work)) as T;
}

function accept(session: Session): Me {
  token = session.access_token;
  return session.user;
}

export async function login(name: string, password: string): Promise<Me> {
  token = null;
  return accept(await read<Session>(await send('POST', 'auth/login', { name, password, refresh: 'cookie' }, {})));
}

export async function logout(): Promise<void> {
  await send('POST', 'auth/logout', {}, {});
  token = null;
}

export async function setup(setupToken: string, name: string, password: string): Promise<void> {
  await read<Me>(await send('POST', 'auth/setup', { token: setupToken, name, password }, {}));
}

export async function setupNeeded(): Promise<boolean> {
  return (await read<{ needed: boolean }>(await send('GET', 'auth/setup', undefined, {}))).needed;
}

/** A single-use ticket for the stream. */
export async function ticket(): Promise<string> {
  return (await api<{ ticket: string }>('POST', 'auth/ticket')).ticket;
}
