/* The reply box. Each conversation has its own draft, kept in this tab until it is sent. */

import { byId } from "./dom.js";

const PREFIX = "desk.draft.";
const WARN_AT = 0.9; // of the limit: from here on the length is shown
const HINT = "Enter sends, Shift and Enter start a new line.";

export class Composer {
  #form = byId("composer");
  #box = byId("reply");
  #button = byId("send");
  #note = byId("reply-note");
  #limit;
  #send;
  #mayGo;
  #conversation = null;
  #reason = "";
  agent = null;

  /**
   * `send(conversation, text, confirmed)` is called with what the agent sends; `mayGo(text, go)`
   * says before whether it may, and calls `go` when the agent has seen what it promises.
   */
  constructor(limit, send, mayGo) {
    this.#limit = limit;
    this.#send = send;
    this.#mayGo = mayGo;
    this.#box.addEventListener("input", () => this.#keep());
    this.#box.addEventListener("keydown", (event) => this.#key(event));
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  /** Shows the draft of this conversation; with a `reason` nobody can write. */
  show(conversationId, reason) {
    if (conversationId !== this.#conversation) {
      this.#conversation = conversationId;
      this.#set(sessionStorage.getItem(this.#place(conversationId)) ?? "");
    }
    this.#reason = reason;
    this.#box.disabled = Boolean(reason);
    this.#grow();
    this.#describe();
  }

  focus() {
    this.#box.focus();
    return document.activeElement === this.#box;
  }

  /** Whether something is written here that was not sent. */
  get unsent() {
    return Boolean(this.#box.value.trim());
  }

  /** Gives a text back that could not be sent, above what was written since. */
  giveBack(conversationId, text) {
    const place = this.#place(conversationId);
    const draft = [text, sessionStorage.getItem(place)].filter(Boolean).join("\n");
    sessionStorage.setItem(place, draft);
    if (conversationId !== this.#conversation) return;
    this.#set(draft);
    this.#grow();
    this.#describe();
    this.focus();
  }

  #place(conversationId) {
    return `${PREFIX}${this.agent.id}.${conversationId}`;
  }

  #set(text) {
    this.#box.value = text;
  }

  #keep() {
    const place = this.#place(this.#conversation);
    if (this.#box.value) sessionStorage.setItem(place, this.#box.value);
    else sessionStorage.removeItem(place);
    this.#grow();
    this.#describe();
  }

  #key(event) {
    // While an input method composes a word, Enter belongs to it (229 is how Safari says so).
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    if (event.keyCode === 229) return;
    event.preventDefault();
    this.#submit();
  }

  /** Whether a reply is being written at this moment. */
  get writing() {
    return this.unsent && document.activeElement === this.#box;
  }

  /** Puts a text where the cursor is. */
  insert(text) {
    if (this.#reason) return;
    const { selectionStart: start, selectionEnd: end, value } = this.#box;
    this.#box.value = `${value.slice(0, start)}${text}${value.slice(end)}`;
    this.#keep();
    this.focus();
  }

  /** Sends what is written; `checked` when the agent has seen what it promises. */
  async #submit(checked = false) {
    const text = this.#box.value.trim();
    if (!text || this.#reason || text.length > this.#limit) return;
    const conversation = this.#conversation;
    if (!checked && !(await this.#mayGo(text, () => this.#submit(true)))) return;
    if (conversation !== this.#conversation || text !== this.#box.value.trim()) return;
    this.#set("");
    this.#keep();
    this.#send(this.#conversation, text, checked);
    this.focus();
  }

  /** As tall as its text, up to the height that the style allows. */
  #grow() {
    this.#box.style.height = "auto";
    const wanted = this.#box.scrollHeight;
    if (wanted) this.#box.style.height = `${wanted + 2}px`; // 0 while it is not shown
  }

  #describe() {
    const length = this.#box.value.length;
    const over = length > this.#limit;
    const count = `${length.toLocaleString("en-GB")} of ${this.#limit.toLocaleString("en-GB")}`;
    const shown = length > this.#limit * WARN_AT ? `${count} characters.` : HINT;
    const text = this.#reason || shown;
    if (this.#note.textContent !== text) this.#note.textContent = text;
    this.#note.classList.toggle("over", over && !this.#reason);
    this.#button.disabled = Boolean(this.#reason) || over || !this.unsent;
  }
}

/** After logging out on purpose nothing stays behind for whoever uses the computer next. */
export function forgetDrafts() {
  for (const key of Object.keys(sessionStorage)) {
    if (key.startsWith("desk.")) sessionStorage.removeItem(key);
  }
}
