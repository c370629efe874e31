/* Help with a reply: passages that may answer, and a look at what it promises. */

import * as api from "./api.js";
import { byId, el } from "./dom.js";
import { markdown } from "./markdown.js";

export class Helps {
  #composer;
  #ticket = null;
  #question = "";
  #asked = null; // for which question the suggestions were fetched

  constructor(composer) {
    this.#composer = composer;
    byId("suggest").addEventListener("click", () => this.toggle());
    byId("suggestions").addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      this.#open(false);
      byId("suggest").focus();
    });
  }

  show(ticket, messages) {
    if (ticket.id !== this.#ticket?.id) {
      this.#open(false);
      this.#say("");
    }
    this.#ticket = ticket;
    this.#question = messages.findLast((it) => it.author === "customer")?.text ?? "";
    byId("helps").hidden = !(ticket.state === "human" && ticket.mine);
    const other = this.#asked !== null && this.#asked !== this.#question;
    // Not under the hands of an agent who is about to choose one.
    if (other && !byId("suggestions").contains(document.activeElement)) this.#fetch();
  }

  toggle() {
    if (!byId("helps").hidden) this.#open(byId("suggestions").hidden);
  }

  /** Whether a text may be sent now; what it promises is shown first, and `go` sends it. */
  async mayGo(text, go) {
    this.#say("");
    // Without an answer the text goes out unconfirmed: then the gateway looks itself.
    const { promises = [] } = await api.promises(text).catch(() => ({}));
    if (!promises.length) return true;
    const words = promises.map((it) => `“${it}”`).join(", ");
    this.#say(`This promises something: ${words}. Can it be kept? `,
      el("button", { type: "button", click: () => { this.#say(""); go(); } }, "Send anyway"), " ",
      el("button", { type: "button", click: () => { this.#say(""); this.#composer.focus(); } }, "Change it"));
    byId("promises").querySelector("button:last-of-type").focus(); // the safe one
    return false;
  }

  #say(...parts) {
    const shown = parts.filter(Boolean);
    byId("promises").hidden = !shown.length;
    byId("promises").replaceChildren(...shown);
  }

  #open(open) {
    byId("suggestions").hidden = !open;
    byId("suggest").setAttribute("aria-expanded", String(open));
    this.#asked = null;
    if (open) this.#fetch();
  }

  async #fetch() {
    const question = this.#question;
    this.#asked = question;
    if (!byId("suggestions").childElementCount) byId("suggestions").replaceChildren(el("p", {}, "Looking …"));
    const { suggestions } = await api.suggestions(question || " ").catch(() => ({ suggestions: [] }));
    if (this.#asked !== question) return; // closed, or asked anew since
    const shown = suggestions.map((it) => this.#suggestion(it));
    byId("suggestions").replaceChildren(...(shown.length ? shown : [el("p", {}, "No article fits.")]));
  }

  /** What staff articles say can be read here, and no button puts it into a reply. */
  #suggestion(it) {
    const name = it.heading && it.heading !== it.title ? `${it.title} – ${it.heading}` : it.title;
    const address = `/desk/knowledge/${it.article.split("/").map(encodeURIComponent).join("/")}`;
    const act = it.staff
      ? el("b", { class: "pill staff" }, "Staff only: not for the customer")
      : el("button", { type: "button", click: () => this.#composer.insert(plain(it.text)) }, "Put into the reply");
    return el("article", { class: it.staff ? "suggestion staff" : "suggestion" },
      el("p", {}, el("a", { href: address }, name), " ", act), el("div", {}, ...markdown(it.text)));
  }
}

/** An article's text as a reply reads: no markdown. */
function plain(text) {
  return text.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/[*_`]{1,2}(?=\S)|(?<=\S)[*_`]{1,2}/g, "").trim();
}
