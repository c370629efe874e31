/* Help with a reply: passages that may answer, saved replies, and a look at what it promises. */

import * as api from "./api.js";
import { byId, el } from "./dom.js";
import { markdown } from "./markdown.js";

export class Helps {
  #composer;
  #agent;
  #ticket = null;
  #question = "";
  #saved = [];

  /** `agent()` is who is logged in. */
  constructor(composer, agent) {
    this.#composer = composer;
    this.#agent = agent;
    byId("suggest").addEventListener("click", () => this.#toggle(byId("suggestions").hidden));
    byId("saved").addEventListener("focus", () => this.#load());
    byId("saved").addEventListener("change", () => this.#use(byId("saved").value));
    byId("save-reply").addEventListener("click", () => this.#save());
    byId("reply").addEventListener("input", () => this.#shortcut());
    this.#load();
  }

  show(ticket, messages) {
    if (ticket.id !== this.#ticket?.id) {
      this.#toggle(false);
      this.#say("");
    }
    this.#ticket = ticket;
    this.#question = messages.findLast((it) => it.author === "customer")?.text ?? "";
    byId("helps").hidden = !(ticket.state === "human" && ticket.mine);
  }

  /** Whether a text may be sent now; what it promises is shown first, and `go` sends it. */
  async mayGo(text, go) {
    this.#say("");
    const { promises = [] } = await api.promises(text).catch(() => ({}));
    if (!promises.length) return true;
    const words = promises.map((it) => `“${it}”`).join(", ");
    this.#say(`This promises something: ${words}. Can it be kept? `,
      el("button", { type: "button", click: () => { this.#say(""); go(); } }, "Send it"), " ",
      el("button", { type: "button", click: () => { this.#say(""); this.#composer.focus(); } }, "Change it"));
    byId("promises").querySelector("button").focus();
    return false;
  }

  #say(...parts) {
    const shown = parts.filter(Boolean);
    byId("promises").hidden = !shown.length;
    byId("promises").replaceChildren(...shown);
  }

  async #toggle(open) {
    byId("suggestions").hidden = !open;
    byId("suggest").setAttribute("aria-expanded", String(open));
    if (!open) return;
    byId("suggestions").replaceChildren(el("p", {}, "Looking …"));
    const { suggestions } = await api.suggestions(this.#question || " ").catch(() => ({ suggestions: [] }));
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

  async #load() {
    const { replies } = await api.savedReplies().catch(() => ({ replies: this.#saved }));
    this.#saved = replies;
    byId("saved").replaceChildren(el("option", { value: "" }, "Saved replies"),
      ...replies.map((it) => el("option", { value: it.name }, it.name)));
  }

  #use(name) {
    const found = this.#saved.find((it) => it.name === name);
    byId("saved").value = "";
    if (found) this.#composer.insert(this.#filled(found.text));
  }

  /** "/name" alone in the reply box becomes the saved reply of that name. */
  #shortcut() {
    const text = byId("reply").value;
    if (!text.startsWith("/") || !text.endsWith(" ")) return;
    const wanted = text.slice(1).trim().toLowerCase();
    const found = this.#saved.find((it) => it.name.toLowerCase() === wanted);
    if (!found) return;
    byId("reply").select();
    this.#composer.insert(this.#filled(found.text));
  }

  #filled(text) {
    const values = {
      agent: this.#agent()?.name.split(" ")[0] ?? "",
      number: this.#ticket?.number ?? "",
      business: document.body.dataset.business,
    };
    return text.replace(/\{(agent|number|business)\}/g, (_, name) => values[name]);
  }

  async #save() {
    const text = byId("reply").value.trim();
    if (!text) return this.#say("Write a reply first; then it can be kept under a name.");
    const name = el("input", { "aria-label": "Name of the saved reply", maxlength: 80 });
    const keep = async () => {
      try {
        await api.saveReply(name.value, text);
        await this.#load();
        this.#say("Kept.");
      } catch (trouble) {
        this.#say(trouble.message);
      }
    };
    this.#say("Keep this reply as ", name, " ", el("button", { type: "button", click: keep }, "Keep"));
    name.focus();
  }
}

/** An article's text as a reply reads: no markdown. */
function plain(text) {
  return text.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/[*_`]{1,2}(?=\S)|(?<=\S)[*_`]{1,2}/g, "").trim();
}
