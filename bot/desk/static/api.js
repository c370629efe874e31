/* Requests to the gateway, and what can become of them. */

import { setClock } from "./words.js";

const LONGEST = 20_000;
let leaving = false;

/** The gateway's answer was no, or there was none (then `status` is 0). */
export class Trouble extends Error {
  constructor(message, status, promises = []) {
    super(message);
    this.status = status;
    this.promises = promises; // what a reply promises that nobody has confirmed
  }

  /** Whether the same request may well succeed later. */
  get passing() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export function tickets() {
  return ask("/desk/api/tickets");
}

export function conversation(id, after) {
  return ask(`/desk/api/conversations/${encodeURIComponent(id)}?after=${after}`);
}

/** The orders proven in it, and a sentence when the shop does not answer. */
export function orders(id) {
  return ask(`/desk/api/conversations/${encodeURIComponent(id)}/orders`);
}

export function claim(ticketId) {
  return post(`/desk/api/tickets/${ticketId}/claim`);
}

export function reply(id, clientId, text, confirmed) {
  const address = `/desk/api/conversations/${encodeURIComponent(id)}/replies`;
  return post(address, { client_id: clientId, text, confirmed });
}

export function resolve(id) {
  return post(`/desk/api/conversations/${encodeURIComponent(id)}/resolve`);
}

export function handBack(id, note, settled) {
  return post(`/desk/api/conversations/${encodeURIComponent(id)}/hand-back`, { note, settled });
}

/** Something else that is done with a ticket: "pass-on", "put-off", "notes", "tags", "join". */
export function work(ticketId, what, body) {
  return post(`/desk/api/tickets/${ticketId}/${what}`, body);
}

/** Colleagues see that the ticket is open here, and whether a reply is being written. */
export function look(ticketId, writing) {
  return post(`/desk/api/tickets/${ticketId}/look`, { writing });
}

export function colleagues() {
  return ask("/desk/api/colleagues");
}

export function setAway(away) {
  return post("/desk/api/presence", { away });
}

export function suggestions(question) {
  return ask(`/desk/api/suggestions?question=${encodeURIComponent(question.slice(0, 800))}`);
}

export function savedReplies() {
  return ask("/desk/api/saved-replies");
}

export function saveReply(name, text) {
  return post("/desk/api/saved-replies", { name, text });
}

export function deleteReply(id) {
  return post(`/desk/api/saved-replies/${id}/delete`);
}

export function promises(text) {
  return post("/desk/api/check-reply", { text });
}

export function find(text) {
  return ask(`/desk/api/find?text=${encodeURIComponent(text)}`);
}

export function logOut() {
  return post("/desk/logout");
}

function post(address, body = {}) {
  const headers = { "Content-Type": "application/json", "X-Rapport-Desk": "1" };
  return ask(address, { method: "POST", headers, body: JSON.stringify(body) });
}

async function ask(address, options = {}) {
  let answer;
  let body;
  try {
    answer = await fetch(address, { ...options, signal: AbortSignal.timeout(LONGEST) });
    body = answer.status === 204 ? null : await answer.json().catch(() => null);
  } catch {
    throw new Trouble("The gateway cannot be reached.", 0);
  }
  setClock(answer.headers.get("Date"));
  if (answer.status === 401) leave();
  if (answer.ok) return body;
  const said = typeof body?.detail === "string" ? body.detail : "";
  throw new Trouble(said || "Something went wrong.", answer.status, body?.promises);
}

/** The session has ended. Drafts and unsent replies are in sessionStorage and outlive it. */
function leave() {
  if (leaving) return; // two requests may hear it, and a second call would break off the first
  leaving = true;
  location.assign("/desk/login?ended=1");
}
