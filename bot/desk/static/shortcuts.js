/* "/name" in an empty reply box: a list of the saved replies that are meant. */

import { byId, el } from "./dom.js";

const MOST = 6;

export class Shortcuts {
  #box = byId("reply");
  #list = byId("shortcuts");
  #found = [];
  #at = 0;
  #saved;
  #use;

  /** `saved()` returns all saved replies; `use(reply)` puts one into the box. */
  constructor(saved, use) {
    this.#saved = saved;
    this.#use = use;
    this.#box.addEventListener("input", () => this.#look());
    this.#box.addEventListener("blur", () => this.#close());
    // Before the reply box itself hears the key: Enter chooses here, and must not send.
    this.#box.addEventListener("keydown", (event) => this.#key(event), { capture: true });
  }

  #look() {
    const text = this.#box.value;
    const wanted = text.slice(1).trim().toLowerCase();
    const names = text.startsWith("/") && !text.includes("\n")
      ? this.#saved().filter((it) => it.name.toLowerCase().includes(wanted)) : [];
    const begins = (it) => Number(it.name.toLowerCase().startsWith(wanted));
    this.#found = names.sort((one, other) => begins(other) - begins(one)).slice(0, MOST);
    this.#at = 0;
    if (this.#found.length) this.#show();
    else this.#close();
  }

  #show() {
    this.#list.hidden = false;
    this.#list.replaceChildren(...this.#found.map((it, at) => {
      // A press would take the focus from the box, which closes the list.
      const keep = (event) => event.preventDefault();
      const choose = () => this.#choose(it);
      return el("li", { id: `shortcut-${at}`, role: "option", "aria-selected": String(at === this.#at),
        mousedown: keep, click: choose }, el("b", {}, it.name), " ", el("span", {}, it.text));
    }));
    this.#box.setAttribute("aria-activedescendant", `shortcut-${this.#at}`);
  }

  #close() {
    this.#found = [];
    this.#list.hidden = true;
    this.#box.removeAttribute("aria-activedescendant");
  }

  #key(event) {
    if (!this.#found.length || event.isComposing || event.shiftKey) return;
    const count = this.#found.length;
    if (event.key === "ArrowDown") this.#at = (this.#at + 1) % count;
    else if (event.key === "ArrowUp") this.#at = (this.#at + count - 1) % count;
    else if (event.key !== "Enter" && event.key !== "Tab" && event.key !== "Escape") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (event.key === "Escape") this.#close();
    else if (event.key.startsWith("Arrow")) this.#show();
    else this.#choose(this.#found[this.#at]);
  }

  #choose(reply) {
    this.#close();
    this.#box.select();
    this.#use(reply);
  }
}
