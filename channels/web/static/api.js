/* The gateway's public web API. Every failure is a `Trouble`, so callers ask what to do about it,
 * not what kind of exception it is. */

const PATIENCE = 20_000;

export class Trouble extends Error {
  constructor(status, detail = "", wait = 0) {
    super(detail || `status ${status}`);
    this.status = status; // 0: no answer at all
    this.detail = detail;
    this.wait = wait; // milliseconds that the server asks for
  }

  /** Whether the same request may well succeed later. */
  get passing() {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }

  get lost() {
    return this.passing && this.status !== 429;
  }
}

export function openConversation() {
  return request("POST", "/api/conversations", { body: {} });
}

export function news(conversation, after) {
  return request("GET", `${path(conversation)}/messages?after=${after}`, conversation);
}

export function post(conversation, { kind, client_id, text }) {
  return kind === "person"
    ? request("POST", `${path(conversation)}/person`, { ...conversation, body: { client_id } })
    : request("POST", `${path(conversation)}/messages`, { ...conversation, body: { client_id, text } });
}

export function identify(conversation, token) {
  return request("POST", `${path(conversation)}/identity`, { ...conversation, body: { token } });
}

/** Has a code sent to a number; returns the number, all but its end. */
export function sendCode(conversation, number) {
  return request("POST", `${path(conversation)}/phone`, { ...conversation, body: { number } });
}

export function confirmPhone(conversation, code) {
  return request("POST", `${path(conversation)}/phone/confirm`, { ...conversation, body: { code } });
}

/** The answer's stream of wake-ups; EventSource cannot send the token. */
export async function events(conversation, signal) {
  const answer = await fetch(`${path(conversation)}/events`, {
    headers: headers(conversation),
    credentials: "omit",
    cache: "no-store",
    signal,
  });
  if (!answer.ok) throw new Trouble(answer.status);
  return answer.body;
}

function path(conversation) {
  return `/api/conversations/${encodeURIComponent(conversation.id)}`;
}

function headers({ token }) {
  return token ? { Authorization: `Bearer ${token}` } : {};
}

async function request(method, address, { token, body }) {
  const cut = new AbortController();
  const timer = setTimeout(() => cut.abort(), PATIENCE);
  let answer, content;
  try {
    answer = await fetch(address, {
      method,
      headers: { ...headers({ token }), ...(body && { "Content-Type": "application/json" }) },
      body: body && JSON.stringify(body),
      credentials: "omit",
      cache: "no-store",
      signal: cut.signal,
    });
    content = await answer.text();
  } catch {
    throw new Trouble(0);
  } finally {
    clearTimeout(timer);
  }
  if (answer.status === 204) return null;
  let said;
  try {
    said = JSON.parse(content);
  } catch {
    // A page in place of JSON is a proxy or a café's login page, not the gateway.
    throw new Trouble(answer.ok ? 0 : answer.status);
  }
  if (answer.ok) return said;
  const detail = typeof said.detail === "string" ? said.detail : "";
  throw new Trouble(answer.status, detail, wait(answer.headers.get("Retry-After")));
}

/** Retry-After in milliseconds: it is either seconds or a date. */
function wait(header) {
  if (!header) return 0;
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Math.min(Math.max(seconds || 0, 0), 120) * 1000;
}
