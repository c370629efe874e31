/* Texts that are being written: each field keeps one for each conversation, in this tab, until it
 * was sent. Fields never share a draft: a note cannot end up in a reply. */

const PREFIX = "desk.draft.";

export class Draft {
  #box;
  #name;
  #place = null;

  /** `name` keeps the drafts of this field apart from those of all others. */
  constructor(box, name) {
    this.#box = box;
    this.#name = name;
    box.addEventListener("input", () => this.#keep());
  }

  /** Shows what was written here for this conversation. */
  show(agentId, conversationId) {
    const place = `${PREFIX}${this.#name}.${agentId}.${conversationId}`;
    if (place === this.#place) return;
    this.#place = place;
    this.#box.value = sessionStorage.getItem(place) ?? "";
  }

  /** Where the draft is that is shown now, for `sent`. */
  get place() {
    return this.#place;
  }

  /** It was sent: forgotten, unless something else was written since. */
  sent(place, text) {
    if ((sessionStorage.getItem(place) ?? text) !== text) return;
    sessionStorage.removeItem(place);
    if (place === this.#place) this.#box.value = "";
  }

  #keep() {
    if (this.#place === null) return;
    if (this.#box.value) sessionStorage.setItem(this.#place, this.#box.value);
    else sessionStorage.removeItem(this.#place);
  }
}
