/* The messages of the open conversation, colleagues' notes among them, and the replies that are on
 * their way. */

import { byId, changed, el, keyed } from "./dom.js";
import { link, markdown } from "./markdown.js";
import * as words from "./words.js";

const NEAR = 80; // pixels from the end that still count as "at the end"
const SETTLED = 1000; // milliseconds after which a screen reader has taken the first messages in

export class Transcript {
  #log = byId("log");
  #scroller = byId("scroller");
  #newer = byId("newer");
  #typing = byId("typing");
  #conversation = null;
  #last = 0;
  #timer = null;
  #stay = false; // the agent reads further up: nothing scrolls
  #outbox;

  constructor(outbox) {
    this.#outbox = outbox;
    this.#newer.addEventListener("click", () => this.#toEnd());
    this.#scroller.addEventListener("scroll", () => {
      this.#stay = !this.#atEnd();
      if (!this.#stay) this.#newer.hidden = true;
    });
    // A panel or a phone's keyboard takes room: whoever read the end still sees the end.
    new ResizeObserver(() => this.#stay || this.#toEnd()).observe(this.#scroller);
  }

  /** Shows the messages with the notes between them, then what is not delivered yet. */
  show(conversationId, messages, typing, notes = []) {
    const other = this.#conversation !== conversationId;
    if (other) this.#begin(conversationId);
    const pending = this.#outbox.entries(conversationId, messages);
    const items = [...inOrder(messages, notes), ...pending];
    keyed(this.#log, items, {
      key: (item) => item.client_key ?? this.#outbox.keyOf(item.id) ?? item.id,
      make: (item) => el("article", { class: `message ${item.author}`, "aria-label": item.label }),
      update: (node, item) => this.#update(node, item),
    });
    this.#typing.hidden = !typing;
    if (messages.length) this.#readOutFromNowOn();
    const last = messages.at(-1)?.id ?? 0;
    if (!this.#stay) this.#toEnd();
    else if (last > this.#last) this.#newer.hidden = false;
    this.#last = last;
  }

  scrollToEnd() {
    this.#toEnd();
  }

  /** Another conversation: its old messages are no news, so they are not read out. */
  #begin(conversationId) {
    this.#conversation = conversationId;
    this.#last = 0;
    this.#stay = false;
    this.#newer.hidden = true;
    this.#log.setAttribute("aria-live", "off");
    this.#log.replaceChildren();
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  #readOutFromNowOn() {
    this.#timer ??= setTimeout(() => this.#log.setAttribute("aria-live", "polite"), SETTLED);
  }

  #atEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR;
  }

  #toEnd() {
    this.#stay = false;
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#newer.hidden = true;
  }

  #update(node, item) {
    // What was read out once is not touched again, unless the gateway masked a part of it; only
    // the small line below it changes.
    if (node.text !== item.text) node.replaceChildren(...content(item));
    node.text = item.text;
    if (!changed(node, [item.text, item.mood, item.understood, item.rule, item.state, item.trouble, item.delivery])) return;
    node.querySelector(".below")?.remove();
    const line = item.client_key ? this.#delivery(item) : felt(item) ?? fares(item);
    if (line) node.append(line);
  }

  #delivery(entry) {
    if (entry.state !== "failed") return el("p", { class: "below state" }, "Sending …");
    const promising = entry.promises.length > 0;
    const again = () => this.#outbox.retry(entry.client_key, promising);
    const edit = () => this.#outbox.withdraw(entry.client_key);
    return el("p", { class: "below state failed" }, `Not sent. ${entry.trouble} `,
      el("button", { type: "button", click: again }, promising ? "Send anyway" : "Try again"), " ",
      el("button", { type: "button", click: edit }, promising ? "Change it" : "Edit"));
  }
}

/** What became of a message that leaves through a vendor. */
function fares({ delivery }) {
  if (!delivery) return null;
  const first = delivery.words[0].toUpperCase() + delivery.words.slice(1);
  return el("p", { class: delivery.bad ? "below state failed" : "below state" }, first);
}

/** Notes where they belong by their time. No way leads back: a note never becomes a message. */
function inOrder(messages, notes) {
  const shown = notes.map((note) => ({
    id: `note-${note.id}`,
    author: "note",
    label: "Internal note",
    author_name: note.agent ?? `Customer, in ${note.data.written_in ?? "another ticket"}`,
    text: note.data.text ?? "",
    time: note.at,
  }));
  return [...messages, ...shown].sort((one, other) => one.time.localeCompare(other.time));
}

function content(item) {
  const body = item.author === "bot" ? markdown(item.text) : plain(item.text);
  const made = [heading(item), el("div", { class: "bubble" }, ...body)];
  if (item.sources?.length) made.push(sources(item.sources));
  if (item.buttons?.length) {
    const titles = item.buttons.map((button) => button.title).join(", ");
    made.push(el("p", { class: "offered" }, `Buttons shown: ${titles}`));
  }
  return made;
}

function heading(item) {
  const name = { class: item.author === "system" ? "quiet" : null };
  if (item.author === "note") {
    return el("p", { class: "head" }, el("b", { class: "internal" }, "Internal"), " ",
      el("b", {}, item.author_name), " ", time(item.time));
  }
  return el("p", { class: "head" }, el("b", name, author(item)), " ", time(item.time));
}

function author(item) {
  if (item.author === "agent") return item.author_name || "Colleague";
  return { customer: "Customer", bot: "Bot", system: "Rapport" }[item.author] ?? item.author;
}

function time(iso) {
  return el("time", { datetime: iso, title: words.full(iso) }, words.clock(iso));
}

function plain(text) {
  return [el("p", { class: "plain" }, text)];
}

function sources(list) {
  const entries = list.map((source) => {
    const name = source.heading && source.heading !== source.title
      ? `${source.title} – ${source.heading}` : source.title;
    const sure = source.confidence ? ` (${Math.round(source.confidence * 100)} % sure)` : "";
    return el("li", {}, link(atTheDesk(source), [name]), sure);
  });
  return el("div", { class: "sources" }, el("span", {}, "From:"), el("ul", {}, ...entries));
}

/** The article's page at the desk: it tells more than the help pages, and shows staff's articles. */
function atTheDesk({ article, url }) {
  if (!article) return url;
  const path = article.split("/").map(encodeURIComponent).join("/");
  const [, anchor] = url.split("#");
  return `/desk/knowledge/${path}${anchor ? `#${anchor}` : ""}`;
}

/** What was understood of a customer's message, how it sounded, and what it set off. */
function felt({ understood, mood, rule }) {
  const parts = [];
  if (understood) parts.push(words.understanding(understood));
  if (mood) parts.push(`Mood: ${words.mood(mood).toLowerCase()}`);
  if (!parts.length && !rule) return null;
  const marked = rule ? [el("b", { class: "marked" }, `Marked: ${rule}`), parts.length ? " · " : ""] : [];
  return el("p", { class: "below felt", "aria-live": "off" }, ...marked, parts.join(" · "));
}
