/* Finding a conversation by number, words or address. */

import * as api from "./api.js";
import { byId, el } from "./dom.js";
import * as words from "./words.js";

export class Search {
  #open;

  /** `open(conversationId)` shows what was chosen. */
  constructor(open) {
    this.#open = open;
    byId("search").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#find(byId("find").value.trim());
    });
    byId("found-close").addEventListener("click", () => this.#close());
  }

  focus() {
    byId("find").focus();
  }

  async #find(text) {
    if (!text) return this.#close();
    const place = byId("found");
    let found = [];
    place.querySelector(".empty").textContent = "Nothing was found.";
    try {
      found = (await api.find(text)).tickets;
    } catch (trouble) {
      place.querySelector(".empty").textContent = trouble.message;
    }
    place.hidden = false;
    place.querySelector(".count").textContent = found.length || "";
    place.querySelector(".empty").hidden = found.length > 0;
    place.querySelector("ul").replaceChildren(...found.map((ticket) => this.#row(ticket)));
    (place.querySelector("li button") ?? byId("found-close")).focus();
  }

  #row(ticket) {
    const choose = () => this.#open(ticket.conversation_id);
    return el("li", {}, el("button", { type: "button", class: "row", click: choose },
      el("span", { class: "top" }, el("b", {}, ticket.number), ` ${words.state(ticket)}, ${words.clock(ticket.opened_at)}`),
      " ", el("span", { class: "reason" }, ticket.reason)));
  }

  #close() {
    byId("found").hidden = true;
    byId("find").value = "";
    byId("find").focus();
  }
}
