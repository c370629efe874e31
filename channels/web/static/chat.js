/* The conversation as this tab knows it: what was said, who owns it, and what is on its way. */

import { identify, news, openConversation, post } from "./api.js";
import { Live } from "./live.js";
import { Outbox } from "./outbox.js";
import * as store from "./store.js";

const NOTHING = Object.freeze({ owner: "bot", typing: false, ticket: null });
export const PERSON = "I would like to talk to a person.";
const QUIET = 300; // milliseconds in which a resumed transcript is drawn
const STARTED_AFRESH =
  "We could not find your earlier conversation any more, so this is a new one.";

export class Chat {
  conversation = null;
  view = NOTHING;
  connected = true;
  loading = false;
  #messages = new Map(); // by id
  #mine = new Set(); // the client_ids among them
  #afresh = false;
  #identity = "";
  #changed;

  /** `changed()` is called whenever there may be something else to show. */
  constructor(changed) {
    this.#changed = changed;
    this.outbox = new Outbox((entry) => this.#deliver(entry), changed);
    this.live = new Live(
      (conversation) => this.#look(conversation),
      (connected) => this.#report(connected),
    );
    store.onChange((key) => this.#otherTab(key));
  }

  /** Takes up the conversation of the last visit, if there is one. */
  resume() {
    this.#takeUp(store.get("conversation"));
    this.outbox.drain();
  }

  say(text) {
    this.outbox.add("message", text);
  }

  /** False when a person is already there or has been asked for. */
  askForPerson() {
    const asked = this.outbox.entries().some((entry) => entry.kind === "person" && !entry.trouble);
    if (asked || ["waiting", "human"].includes(this.view.owner)) return false;
    this.outbox.add("person", PERSON);
    return true;
  }

  /** The conversation, opened if there is none yet. */
  async ready() {
    return this.conversation ?? (await this.#open());
  }

  /** Who is signed in on the page around us, as that page's server has signed it. */
  async identify(token) {
    this.#identity = token;
    if (!this.conversation) return; // said when one is opened
    await identify(this.conversation, token).catch((trouble) => {
      console.warn(`Rapport: who is signed in was not accepted: ${trouble.detail}`);
    });
  }

  /** Everything to show, oldest first; what is on its way comes last. */
  items() {
    const note = { key: "afresh", author: "system", text: STARTED_AFRESH };
    const known = [...this.#messages.values()].sort((one, other) => one.id - other.id);
    const shown = known.map((message) => ({ ...message, key: keyOf(message), state: "delivered" }));
    const unseen = this.outbox.entries().filter((entry) => !this.#mine.has(entry.client_id));
    const sent = unseen.map((entry) => ({ ...entry, key: keyOf(entry), author: "customer" }));
    return [...(this.#afresh ? [note] : []), ...shown, ...sent];
  }

  get agent() {
    const theirs = [...this.#messages.values()].filter((message) => message.author === "agent");
    return theirs.sort((one, other) => one.id - other.id).at(-1)?.author_name ?? "";
  }

  get unread() {
    const read = this.#read();
    return [...this.#messages.values()].filter((it) => it.author !== "customer" && it.id > read).length;
  }

  markRead() {
    if (!this.conversation || this.#last() <= this.#read()) return;
    store.set("read", { conversation: this.conversation.id, id: this.#last() });
  }

  #read() {
    const read = store.get("read");
    return read && read.conversation === this.conversation?.id ? read.id : 0;
  }

  #last() {
    return Math.max(0, ...this.#messages.keys());
  }

  async #look(conversation) {
    let found;
    try {
      found = await news(conversation, this.#last());
    } catch (trouble) {
      if (trouble.status === 404) return this.#forget(conversation);
      throw trouble;
    }
    if (conversation.id !== this.conversation?.id) return; // it has changed meanwhile
    for (const message of found.messages) {
      this.#messages.set(message.id, message);
      if (!message.client_id) continue;
      this.#mine.add(message.client_id);
      this.outbox.seen(message.client_id);
    }
    this.view = { owner: found.owner, typing: found.typing, ticket: found.ticket };
    this.#changed();
    if (this.loading) setTimeout(() => this.#loaded(), QUIET);
  }

  #loaded() {
    this.loading = false;
    this.#changed();
  }

  async #deliver(entry) {
    const conversation = this.conversation ?? (await this.#open());
    try {
      await post(conversation, entry);
    } catch (trouble) {
      if (trouble.status !== 404) throw trouble;
      // The gateway no longer knows this conversation. Only once: a new one is never unknown.
      this.#forget(conversation);
      await post(await this.#open(), entry);
    }
    this.live.wake();
  }

  async #open() {
    // Another tab may have opened one since, and both show the same.
    let conversation = store.get("conversation");
    if (!conversation) {
      const { conversation_id: id, token } = await openConversation();
      conversation = store.get("conversation") ?? { id, token };
      store.set("conversation", conversation);
    }
    this.#switch(conversation);
    if (this.#identity) this.identify(this.#identity);
    return conversation;
  }

  #forget(conversation) {
    if (store.get("conversation")?.id === conversation.id) store.remove("conversation");
    if (this.conversation?.id !== conversation.id) return;
    this.#switch(store.get("conversation"));
    this.#afresh = true;
    this.#changed();
  }

  /** Like #switch, for one that has a past: it is shown, but not read out from its beginning. */
  #takeUp(conversation) {
    this.#switch(conversation);
    this.loading = Boolean(conversation);
  }

  #switch(conversation) {
    if (this.conversation && conversation?.id !== this.conversation.id) this.outbox.forgetArrived();
    this.conversation = conversation;
    this.view = NOTHING;
    this.loading = false;
    this.connected = true;
    this.#messages.clear();
    this.#mine.clear();
    if (conversation) this.live.start(conversation);
    else this.live.stop();
    this.#changed();
  }

  #report(connected) {
    const back = connected && !this.connected;
    this.connected = connected;
    if (back) this.outbox.resume();
    this.#changed();
  }

  #otherTab(key) {
    const stored = store.get("conversation");
    if (stored?.id !== this.conversation?.id) this.#takeUp(stored);
    if (key.startsWith("out.")) {
      this.outbox.drain();
      this.live.wake();
    }
    this.#changed();
  }
}

/** The same before and after it has arrived, so that the bubble stays where it is. */
function keyOf({ client_id, id }) {
  return client_id ? `c${client_id}` : `m${id}`;
}
