/* The conversations that were opened, so that going back to one shows it at once. */

import * as api from "./api.js";

const KEPT = 30;
// The last messages are asked for again: mood and meaning of one come a moment after its text.
const OVERLAP = 12;

export class Conversations {
  #known = new Map(); // id -> {messages, ticket, typing, ...}, the one opened last at the end

  get(id) {
    return this.#known.get(id);
  }

  /** Fetches what is new; after `settled` returns the conversation as it is now. */
  async refresh(id, settled) {
    const before = this.#known.get(id);
    const last = before?.messages.at(-1)?.id ?? 0;
    const after = Math.max(0, last - OVERLAP);
    const { ticket, messages, typing, ...more } = await api.conversation(id, after);
    await settled(id);
    const kept = (before?.messages ?? []).filter((message) => message.id <= after);
    const now = { ...more, ticket, typing, messages: [...kept, ...messages] };
    this.#keep(id, now);
    return now;
  }

  /** An action told how a ticket stands now. */
  put(ticket) {
    const known = this.#known.get(ticket.conversation_id);
    if (known) known.ticket = ticket;
  }

  #keep(id, conversation) {
    this.#known.delete(id);
    this.#known.set(id, conversation);
    while (this.#known.size > KEPT) this.#known.delete(this.#known.keys().next().value);
  }
}
