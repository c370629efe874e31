/* Replies on their way to the gateway: per conversation in order, each until it has arrived.
 *
 * They are kept in sessionStorage, so that neither a reload nor the end of the session loses one,
 * and keep their client_id, by which the gateway recognises one that did arrive. */

import * as api from "./api.js";

const PREFIX = "desk.out.";
const ATTEMPTS = 3;
const PATIENCE = 1000;

export class Outbox {
  #changed;
  #returned;
  #states = new Map(); // client_id -> "sending"; what is stored and not here has failed
  #keys = new Map(); // message id -> client_id of those sent from here
  #sending = new Map(); // conversation id -> promise of what was sent last
  #requests = new Set(); // that are running: {conversationId, done}
  agent = null;

  /** `changed()` hears that something did; `returned(conversation, text)` gets a reply back. */
  constructor(changed, returned) {
    this.#changed = changed;
    this.#returned = returned;
  }

  /** What the transcript does not show yet, as messages, oldest first. */
  entries(conversationId, messages) {
    const shown = new Set(messages.map((message) => this.#keys.get(message.id)));
    const waiting = this.#stored(conversationId).filter((it) => !shown.has(it.client_id));
    return waiting.map((entry) => ({
      client_key: entry.client_id,
      author: "agent",
      author_name: this.agent.name.split(" ")[0],
      text: entry.text,
      time: entry.time,
      state: this.#states.get(entry.client_id) ?? "failed",
      trouble: entry.trouble ?? "The page was closed before it arrived.",
      promises: entry.promises ?? [],
    }));
  }

  /** The key under which a message was shown while it was on its way. */
  keyOf(messageId) {
    return this.#keys.get(messageId);
  }

  /** `confirmed`: the agent has seen what the text promises. */
  send(conversationId, text, confirmed) {
    const time = new Date().toISOString();
    const entry = { conversationId, client_id: uuid(), text, time, confirmed };
    this.#store(entry);
    this.#queue(entry);
  }

  /** Sends one that failed again, with the same client_id; its promises may be confirmed now. */
  retry(clientId, confirmed = false) {
    const entry = this.#find(clientId);
    if (!entry || this.#states.has(clientId)) return;
    this.#queue({ ...entry, confirmed: entry.confirmed || confirmed });
  }

  /** Takes one that failed out and gives its text back. */
  withdraw(clientId) {
    const entry = this.#find(clientId);
    if (!entry) return;
    this.#forget(entry);
    this.#returned(entry.conversationId, entry.text);
    this.#changed();
  }

  /** Forgets those whose message the transcript has by now. */
  seen(conversationId, messages) {
    for (const message of messages) {
      const clientId = this.#keys.get(message.id);
      const entry = clientId && this.#find(clientId);
      if (entry?.conversationId === conversationId) this.#forget(entry);
    }
  }

  /**
   * Waits, though not long, for replies that are being answered: the news of a reply may be faster
   * than its answer, and only the answer tells which message it became.
   */
  async settled(conversationId) {
    const running = [...this.#requests].filter((it) => it.conversationId === conversationId);
    if (!running.length) return;
    const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE));
    await Promise.race([Promise.all(running.map((it) => it.done)), patience]);
  }

  #queue(entry) {
    this.#states.set(entry.client_id, "sending");
    this.#changed();
    const before = this.#sending.get(entry.conversationId) ?? Promise.resolve();
    this.#sending.set(entry.conversationId, before.then(() => this.#deliver(entry)));
  }

  async #deliver(entry) {
    const done = this.#post(entry);
    const request = { conversationId: entry.conversationId, done };
    this.#requests.add(request);
    await done;
    this.#requests.delete(request);
    this.#changed();
  }

  async #post(entry) {
    try {
      const { message_id } = await this.#attempt(entry);
      this.#keys.set(message_id, entry.client_id);
    } catch (trouble) {
      this.#states.delete(entry.client_id);
      this.#store({ ...entry, trouble: trouble.message, promises: trouble.promises });
    }
  }

  async #attempt(entry) {
    for (let attempt = 1; ; attempt++) {
      try {
        return await api.reply(entry.conversationId, entry.client_id, entry.text, Boolean(entry.confirmed));
      } catch (trouble) {
        if (!trouble.passing || attempt >= ATTEMPTS) throw trouble;
        await new Promise((resolve) => setTimeout(resolve, 700 * 2 ** attempt));
      }
    }
  }

  #forget(entry) {
    this.#states.delete(entry.client_id);
    sessionStorage.removeItem(this.#place(entry));
  }

  #store(entry) {
    sessionStorage.setItem(this.#place(entry), JSON.stringify(entry));
  }

  #place(entry) {
    return `${PREFIX}${this.agent.id}.${entry.client_id}`;
  }

  #find(clientId) {
    return JSON.parse(sessionStorage.getItem(this.#place({ client_id: clientId })));
  }

  #stored(conversationId) {
    return Object.keys(sessionStorage)
      .filter((key) => key.startsWith(`${PREFIX}${this.agent.id}.`))
      .map((key) => JSON.parse(sessionStorage.getItem(key)))
      .filter((entry) => entry.conversationId === conversationId)
      .sort((one, other) => one.time.localeCompare(other.time));
  }
}

/** By hand: crypto.randomUUID() exists on HTTPS and localhost only. */
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
