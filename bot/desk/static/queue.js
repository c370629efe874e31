/* The list on the left: who waits, what is mine, what colleagues have, what was closed lately. */

import { changed, el, keyed } from "./dom.js";
import * as words from "./words.js";

const AUTHORS = { bot: "Bot: ", agent: "Colleague: ", you: "You: " };

const SECTIONS = {
  waiting: { has: (it) => it.state === "waiting", order: byUrgency },
  mine: { has: (it) => it.state === "human" && it.mine && !it.snoozed_until, order: byAnswer },
  later: {
    has: (it) => it.state === "human" && it.mine && Boolean(it.snoozed_until),
    order: (one, other) => one.snoozed_until.localeCompare(other.snoozed_until),
  },
  others: { has: (it) => it.state === "human" && !it.mine, order: byAnswer },
  closed: {
    has: (it) => it.state !== "waiting" && it.state !== "human",
    order: (one, other) => (other.closed_at ?? "").localeCompare(one.closed_at ?? ""),
  },
};

function byUrgency(one, other) {
  return one.priority - other.priority
    || Number(other.reason_type === "self_harm") - Number(one.reason_type === "self_harm")
    || one.opened_at.localeCompare(other.opened_at);
}

/** Whoever waits for an answer comes first, the longest wait at the top. */
function byAnswer(one, other) {
  const open = Number(owed(other)) - Number(owed(one));
  return open || since(one).localeCompare(since(other));
}

/** Whether a person has to answer: the bot's receipt in between is no answer. */
function owed(ticket) {
  return ticket.state === "human" && ticket.last_message?.author !== "agent";
}

function since(ticket) {
  return ticket.last_message?.time ?? ticket.opened_at;
}

function isOpen(ticket) {
  return ticket.state === "waiting" || ticket.state === "human";
}

export class Queue {
  #root;
  #choose;

  /** `choose(ticket)` is called when an agent picks one. */
  constructor(root, choose) {
    this.#root = root;
    this.#choose = choose;
  }

  show(tickets, openTicketId) {
    const focused = this.#focusedKey();
    for (const section of this.#root.querySelectorAll("[data-section]")) {
      const { has, order } = SECTIONS[section.dataset.section];
      this.#fill(section, tickets.filter(has).sort(order), openTicketId);
    }
    // A row that moved to another section is a new element: the focus goes with it.
    if (focused && !this.#focusedKey()) this.focus(focused);
  }

  /** The ticket ids as listed, for moving through them. */
  order() {
    const rows = this.#root.querySelectorAll("[data-section] li");
    return [...rows].map((row) => Number(row.dataset.key));
  }

  focus(ticketId) {
    this.#root.querySelector(`[data-section] li[data-key="${ticketId}"] button`)?.focus();
  }

  /** Lets the waiting times go on. */
  tick() {
    for (const time of this.#root.querySelectorAll("time[data-before]")) setTime(time);
    for (const due of this.#root.querySelectorAll(".due")) setDue(due);
  }

  #focusedKey() {
    const active = document.activeElement;
    return this.#root.contains(active) ? active.closest("li")?.dataset.key : undefined;
  }

  #fill(section, tickets, openTicketId) {
    section.querySelector(".count").textContent = tickets.length || "";
    section.querySelector(".empty").hidden = tickets.length > 0;
    keyed(section.querySelector("ul"), tickets, {
      key: (ticket) => ticket.id,
      make: () => this.#row(),
      update: (row, ticket) => update(row, ticket, ticket.id === openTicketId),
    });
  }

  #row() {
    const row = el("li");
    row.append(el("button", { type: "button", click: () => this.#choose(row.ticket) }));
    return row;
  }
}

function update(row, ticket, open) {
  row.ticket = ticket;
  const button = row.firstElementChild;
  if (open) button.setAttribute("aria-current", "true");
  else button.removeAttribute("aria-current");
  if (!changed(row, ticket)) return;
  button.className = owed(ticket) && ticket.mine ? "row owed" : "row";
  // The spaces between the parts keep their words apart when a screen reader joins them.
  button.replaceChildren(top(ticket), " ", reason(ticket), " ", last(ticket), " ", bottom(ticket));
}

function top(ticket) {
  const parts = [el("b", {}, ticket.number), " ", moodPill(ticket.mood)];
  if (ticket.priority <= 2 && isOpen(ticket)) {
    const name = words.priority(ticket.priority);
    parts.push(" ", el("span", { class: `pill priority-${ticket.priority}` }, name));
  }
  return el("span", { class: "top" }, ...parts, " ", wait(ticket));
}

export function moodPill(felt) {
  return el("span", { class: `pill mood ${words.moodClass(felt)}` }, words.mood(felt));
}

function reason(ticket) {
  const holder = ticket.state === "human" && !ticket.mine ? `${words.holder(ticket)}: ` : "";
  const back = ticket.state === "handed_back" ? "Handed back. " : "";
  return el("span", { class: "reason" }, `${back}${holder}${ticket.reason}`);
}

function last(ticket) {
  const said = ticket.last_message;
  const author = said?.author === "agent" && ticket.mine ? "you" : said?.author;
  return el("span", { class: "snippet" }, said ? `${AUTHORS[author] ?? ""}${said.text}` : "");
}

/** Until when, where, and who else is at it. */
function bottom(ticket) {
  const where = [words.queue(ticket.queue), ...(ticket.also_in ?? []).map(words.queue)];
  const queues = where.length > 1 && isOpen(ticket) ? `${where[0]}, also in ${where.slice(1).join(", ")}` : where[0];
  const rated = ticket.rating ? `Rated ${ticket.rating} of 5` : words.channel(ticket.channel);
  return el("span", { class: "bottom" }, ...due(ticket),
    el("span", { class: "where" }, `${queues} · ${rated}`), ...lookers(ticket));
}

/** When an answer is due by the service level, or was promised. */
function due(ticket) {
  const at = ticket.promised_for && (!ticket.sla_due_at || ticket.promised_for < ticket.sla_due_at)
    ? ["promised", ticket.promised_for] : ["due", ticket.sla_due_at];
  if (!at[1] || !isOpen(ticket)) return [];
  const shown = el("span", { class: "due" });
  Object.assign(shown.dataset, { what: at[0], at: at[1] });
  setDue(shown);
  return [shown, " "];
}

function setDue(shown) {
  const text = words.until(shown.dataset.at);
  const late = text.endsWith("late");
  shown.classList.toggle("late", late);
  shown.textContent = late ? text : `${shown.dataset.what} ${text}`;
}

/** Which colleagues have it open, or write in it. */
function lookers(ticket) {
  return (ticket.lookers ?? []).map((it) => el("span", { class: "looker" },
    ` ${it.name} ${it.writing ? "is writing" : "is looking"}`));
}

/** What the clock of this row counts. */
function wait(ticket) {
  const time = el("time", { class: "wait" });
  if (ticket.state === "human" && ticket.snoozed_until) {
    time.dateTime = ticket.snoozed_until;
    time.textContent = `until ${words.clock(ticket.snoozed_until)}`;
    return time;
  }
  const [before, iso, after] = counted(ticket);
  Object.assign(time.dataset, { before, after });
  time.dateTime = iso;
  setTime(time);
  return time;
}

function counted(ticket) {
  if (ticket.state === "waiting") return ["waiting ", ticket.opened_at, ""];
  if (ticket.state !== "human") return ["", ticket.closed_at ?? ticket.opened_at, " ago"];
  if (owed(ticket)) return ["unanswered ", since(ticket), ""];
  return ["answered ", since(ticket), " ago"];
}

function setTime(time) {
  const text = `${time.dataset.before}${words.ago(time.dateTime)}${time.dataset.after}`;
  if (time.textContent !== text) time.textContent = text;
}
