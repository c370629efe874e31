/* The head of the open conversation: what it is about, and what can be done with it. */

import { byId, changed, el } from "./dom.js";
import { Draft } from "./drafts.js";
import { moodPill } from "./queue.js";
import * as words from "./words.js";

export class Header {
  #ticket = null;
  #act;
  #unsent;
  #panelFor = "";
  #busy = false;
  #fields = ["note", "settled"].map((name) => new Draft(byId(name), name));

  /** `act(name, ticket, note)` does it and throws what went wrong; `unsent()`: is there a draft? */
  constructor(act, unsent) {
    this.#act = act;
    this.#unsent = unsent;
    byId("claim").addEventListener("click", () => this.claim());
    byId("resolve").addEventListener("click", () => this.#resolve());
    byId("hand-back").addEventListener("click", () => this.handBack());
    byId("panel-cancel").addEventListener("click", () => this.#closePanel(true));
    byId("panel").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#do(this.#panelFor, byId("note").value.trim(), byId("settled").value.trim());
    });
    byId("panel").addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#closePanel(true);
    });
  }

  show(ticket, agentId) {
    if (ticket.conversation_id !== this.#ticket?.conversation_id) {
      this.trouble("");
      this.#closePanel();
    }
    for (const field of this.#fields) field.show(agentId, ticket.conversation_id);
    this.#ticket = ticket;
    const held = this.#held;
    if (!held) this.#closePanel();
    byId("claim").hidden = ticket.state !== "waiting";
    byId("resolve").hidden = byId("hand-back").hidden = !held;
    this.#able();
    if (changed(byId("details"), ticket)) this.#describe(ticket);
  }

  trouble(text) {
    byId("trouble").textContent = text;
  }

  claim() {
    if (this.#ticket?.state === "waiting") this.#do("claim");
  }

  /** The two by keyboard; a single key closes nothing without asking. */
  resolve() {
    if (this.#held) this.#openPanel("resolve");
  }

  handBack() {
    if (this.#held) this.#openPanel("hand-back");
  }

  get #held() {
    return this.#ticket?.state === "human" && this.#ticket.mine;
  }

  #describe(ticket) {
    byId("number").textContent = ticket.number;
    const at = (ticket.lookers ?? []).map((it) => `${it.name} is ${it.writing ? "writing" : "looking"}`);
    const facts = [words.state(ticket), words.channel(ticket.channel), ...at];
    byId("facts").textContent = facts.join(" · ");
    const entries = [
      ["Reason", reason(ticket)],
      ["Mood", mood(ticket.mood)],
      ["Priority", [words.priority(ticket.priority)]],
      ["Queue", [[ticket.queue, ...(ticket.also_in ?? [])].map(words.queue).join(", also in ")]],
      ["Opened", [words.clock(ticket.opened_at)]],
    ];
    if (ticket.promised_for) entries.push(["Promised for", [words.clock(ticket.promised_for)]]);
    if (ticket.customer) entries.push(["Customer", [[ticket.customer.name, ticket.customer.email].filter(Boolean).join(", ")]]);
    if (ticket.contact) entries.push(["Answer also to", [ticket.contact]]);
    if (ticket.tags?.length) entries.push(["Tags", [ticket.tags.join(", ")]]);
    if (ticket.snoozed_until) entries.push(["Put off until", [words.clock(ticket.snoozed_until)]]);
    if (ticket.settled) entries.push(["Settled", [ticket.settled]]);
    if (ticket.note) entries.push(["Note", [ticket.note]]);
    if (ticket.rating) entries.push(["Rating", [`${ticket.rating} of 5 ${ticket.rating_comment ?? ""}`]]);
    byId("details").replaceChildren(
      ...entries.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, ...value))),
    );
  }

  /** Nothing asks twice in general; an unsent reply is the one thing that is easily overlooked. */
  #resolve() {
    if (this.#unsent()) this.#openPanel("resolve");
    else this.#do("resolve");
  }

  #openPanel(name) {
    const back = name === "hand-back";
    this.#panelFor = name;
    byId("panel").hidden = false;
    byId("note-field").hidden = !back;
    byId("hand-back").setAttribute("aria-expanded", String(back));
    const unsent = this.#unsent() ? "Your reply was not sent yet." : "";
    const resolve = unsent ? "Resolve without sending it" : "Resolve it";
    byId("panel-go").textContent = back ? "Hand back" : resolve;
    const what = back ? "The bot answers this customer again." : "The customer may be asked for a rating.";
    byId("panel-text").textContent = `${unsent} ${what}`.trim();
    byId("panel-go").scrollIntoView({ block: "nearest" }); // on a narrow screen it may lie below
    byId(back ? "settled" : "panel-go").focus({ preventScroll: true });
  }

  #closePanel(refocus = false) {
    byId("panel").hidden = true;
    byId("hand-back").setAttribute("aria-expanded", "false");
    if (refocus) byId(this.#panelFor)?.focus();
    this.#panelFor = "";
  }

  async #do(name, note = "", settled = "") {
    if (this.#busy) return;
    this.#busy = true;
    this.#able();
    this.trouble("");
    const ticket = this.#ticket;
    const places = this.#fields.map((field) => field.place);
    try {
      await this.#act(name, ticket, note, settled);
      if (name === "hand-back") {
        this.#fields.forEach((field, at) => field.sent(places[at], sessionStorage.getItem(places[at])));
      }
    } catch (trouble) {
      if (this.#ticket.id === ticket.id) this.trouble(trouble.message);
    }
    this.#busy = false;
    this.#able();
  }

  #able() {
    for (const id of ["claim", "resolve", "hand-back", "panel-go"]) byId(id).disabled = this.#busy;
  }
}

/** Why a person is needed, with the rules that say so where there are more than its own. */
function reason(ticket) {
  const others = (ticket.rules ?? []).filter((rule) => rule !== ticket.rule);
  const rules = ticket.rule ? [ticket.rule, ...others].join(", ") : "";
  return rules ? [ticket.reason, " ", el("small", {}, `(rule: ${rules})`)] : [ticket.reason];
}

/** The mood, how it came about, and what it was message by message, with the words that heated. */
function mood(felt) {
  const course = felt?.course ?? [];
  const shown = [moodPill(felt), felt?.why ? ` ${felt.why}` : ""];
  if (course.length < 2) return shown;
  const steps = course.map((step) => el("li", {},
    el("span", { class: `pill mood ${words.moodClass(step)}` }, words.mood(step)),
    step.said ? el("small", {}, ` “${step.said}”`) : ""));
  return [...shown, el("ol", { class: "course", "aria-label": "Mood, message by message" }, ...steps)];
}
