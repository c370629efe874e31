/* The desk: puts queue, transcript, reply box and actions together. */

import { About } from "./about.js";
import * as api from "./api.js";
import { Composer, forgetDrafts } from "./composer.js";
import { Conversations } from "./conversations.js";
import { byId } from "./dom.js";
import { Header } from "./header.js";
import { Helps } from "./helps.js";
import { useKeys } from "./keys.js";
import { Live } from "./live.js";
import { Notices } from "./notices.js";
import { Orders } from "./orders.js";
import { Outbox } from "./outbox.js";
import { Looking, showPresence } from "./presence.js";
import { Queue } from "./queue.js";
import { Saved } from "./saved.js";
import { Search } from "./search.js";
import { Tools } from "./tools.js";
import { Transcript } from "./transcript.js";
import * as words from "./words.js";

const OPEN = "desk.open"; // which conversation is shown again after a log-in
const TITLE = document.title;
const TICK = 10_000;

class Desk {
  #agent = null;
  #tickets = [];
  #open = null; // id of the open conversation
  #changes = 0; // actions done; what was asked before the last one is out of date
  #conversations = new Conversations();
  #outbox = new Outbox(() => this.#sent(), (id, text) => this.#composer.giveBack(id, text));
  #transcript = new Transcript(this.#outbox);
  #queue = new Queue(byId("queue"), (ticket) => this.open(ticket.conversation_id, true));
  #notices = new Notices((ticket) => this.open(ticket.conversation_id, true));
  #live = new Live(() => this.#look(), (connected) => this.#report(connected));
  #header = new Header((...it) => this.#act(...it), () => this.#composer.unsent);
  #composer = new Composer(
    Number(document.body.dataset.limit),
    (id, text, confirmed) => {
      this.#outbox.send(id, text, confirmed);
      this.#transcript.scrollToEnd();
    },
    (text, go) => this.#helps.mayGo(text, go),
  );
  #helps = new Helps(this.#composer);
  #saved = new Saved(this.#composer, () => ({
    agent: this.#agent?.name.split(" ")[0] ?? "",
    number: this.#openTicket()?.number ?? "",
    business: document.body.dataset.business,
  }));
  #tools = new Tools((ticket) => this.#worked(ticket));
  #about = new About((id) => this.open(id, true));
  #orders = new Orders();
  #search = new Search((id) => this.open(id, true));
  #looking = new Looking(() => ({ ticket: this.#openTicket(), writing: this.#composer.writing }));

  start() {
    byId("back").addEventListener("click", () => this.#back());
    byId("log-out").addEventListener("click", () => this.#logOut());
    byId("help-open").addEventListener("click", () => byId("help").showModal());
    byId("reply").addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#queue.focus(this.#openTicketId());
    });
    window.addEventListener("popstate", () => this.#follow());
    useKeys({
      j: () => this.#move(1),
      k: () => this.#move(-1),
      c: () => this.#open && this.#header.claim(),
      r: () => this.#open && this.#composer.focus(),
      n: () => this.#open && this.#tools.open("note"),
      m: () => this.#open && this.#tools.open(),
      p: () => this.#open && this.#tools.open("pass-on"),
      z: () => this.#open && this.#tools.open("put-off"),
      t: () => this.#open && this.#tools.open("tags"),
      s: () => this.#open && this.#helps.toggle(),
      e: () => this.#open && this.#header.resolve(),
      b: () => this.#open && this.#header.handBack(),
      i: () => this.#open && this.#about.open(),
      "/": () => this.#search.focus(),
      "?": () => byId("help").showModal(),
    });
    setInterval(() => this.#queue.tick(), TICK);
    this.#looking.start();
    this.#live.start();
  }

  /** Opens a conversation. With `enter` a narrow screen goes to it, and its Back button back. */
  open(id, enter = false) {
    this.#open = id;
    sessionStorage.setItem(OPEN, id);
    // The address names a conversation exactly while a narrow screen shows one.
    if (document.body.dataset.view === "conversation") {
      history.replaceState(history.state, "", `#${id}`);
    } else if (enter) {
      history.pushState("entered", "", `#${id}`);
      document.body.dataset.view = "conversation";
    }
    this.#show();
    this.#live.wake();
  }

  async #look() {
    const changes = this.#changes;
    const id = this.#open;
    const [{ agent, tickets, queues }] = await Promise.all([api.tickets(), id && this.#refresh(id)]);
    if (changes !== this.#changes) return this.#live.wake();
    words.setQueues(queues);
    this.#welcome(agent);
    this.#tickets = tickets;
    this.#notices.look(tickets);
    this.#show();
  }

  async #refresh(id) {
    try {
      const { messages } = await this.#conversations.refresh(id, (it) => this.#outbox.settled(it));
      this.#outbox.seen(id, messages);
    } catch (trouble) {
      if (trouble.status !== 404 && trouble.status !== 422) throw trouble;
      if (this.#open === id) this.#close(); // an old link, or it was deleted
    }
  }

  /** The first answer tells who this is; another agent in another tab means: start again. */
  #welcome(agent) {
    if (this.#agent && this.#agent.id !== agent.id) location.reload();
    if (this.#agent) return;
    this.#agent = agent;
    this.#outbox.agent = this.#composer.agent = agent;
    byId("who").textContent = agent.name;
    for (const link of document.querySelectorAll("[data-role]")) {
      link.hidden = !link.dataset.role.split(" ").includes(agent.role);
    }
    showPresence(agent.away);
    byId("who").title = agent.email;
    this.#follow(sessionStorage.getItem(OPEN));
  }

  /** Shows what the address names. */
  #follow(otherwise = null) {
    const id = location.hash.slice(1);
    document.body.dataset.view = id ? "conversation" : "queue";
    if (id || otherwise) this.open(id || otherwise);
    else this.#queue.focus(this.#openTicketId());
  }

  #show() {
    this.#queue.show(this.#tickets, this.#openTicketId());
    const waiting = this.#tickets.filter((ticket) => ticket.state === "waiting").length;
    document.title = waiting ? `(${waiting}) ${TITLE}` : TITLE;
    const ticket = this.#openTicket();
    byId("opened").hidden = !ticket;
    byId("nothing-open").hidden = Boolean(ticket);
    if (!ticket || !this.#agent) return;
    const known = this.#conversations.get(this.#open) ?? {};
    const { messages = [], typing = false } = known;
    this.#header.show(ticket, this.#agent.id);
    this.#tools.show(ticket, known.earlier ?? [], this.#agent.id);
    this.#about.show(ticket, known);
    this.#orders.show(this.#open, messages);
    this.#helps.show(ticket, messages);
    this.#transcript.show(this.#open, messages, typing, known.notes);
    this.#composer.show(this.#open, whyNot(ticket));
  }

  /** The latest ticket of the open conversation, wherever it is known from. */
  #openTicket() {
    const listed = this.#tickets.filter((ticket) => ticket.conversation_id === this.#open);
    const known = this.#conversations.get(this.#open)?.ticket;
    const newest = listed.sort((one, other) => other.id - one.id)[0];
    return newest && newest.id >= (known?.id ?? 0) ? newest : known;
  }

  #openTicketId() {
    return this.#openTicket()?.id;
  }

  /** Claim, resolve or hand back. Throws what the agent should read. */
  async #act(name, ticket, note, settled) {
    const id = ticket.conversation_id;
    try {
      if (name === "claim") this.#notices.expect(ticket.id);
      const now = await this.#request(name, ticket, note, settled);
      this.#tickets = this.#tickets.map((it) => (it.id === now.id ? now : it));
      this.#conversations.put(now);
    } finally {
      this.#changes++;
      this.#show();
      this.#live.wake();
    }
    if (this.#open !== id) return;
    if (name === "claim") this.#composer.focus();
    else byId("number").focus();
  }

  /** Something was done with a ticket besides: `ticket` as it is now, if that is known. */
  #worked(ticket) {
    if (ticket) {
      this.#tickets = this.#tickets.map((it) => (it.id === ticket.id ? ticket : it));
      this.#conversations.put(ticket);
    }
    this.#changes++;
    this.#show();
    this.#live.wake();
  }

  #request(name, ticket, note, settled) {
    if (name === "claim") return api.claim(ticket.id);
    if (name === "resolve") return api.resolve(ticket.conversation_id);
    return api.handBack(ticket.conversation_id, note, settled);
  }

  #sent() {
    this.#show();
    this.#live.wake();
  }

  #move(step) {
    const order = this.#queue.order();
    if (!order.length) return;
    const at = order.indexOf(this.#openTicketId());
    const from = at < 0 && step < 0 ? order.length : at;
    const next = order[Math.min(order.length - 1, Math.max(0, from + step))];
    this.open(this.#tickets.find((ticket) => ticket.id === next).conversation_id);
    this.#queue.focus(next);
  }

  #back() {
    if (history.state === "entered") return history.back();
    history.replaceState(null, "", location.pathname);
    this.#follow();
  }

  #close() {
    this.#open = null;
    sessionStorage.removeItem(OPEN);
    history.replaceState(null, "", location.pathname);
    document.body.dataset.view = "queue";
  }

  #report(connected) {
    const text = connected ? "" : "The connection is lost. Trying again; what you write is kept.";
    if (byId("lost").textContent !== text) byId("lost").textContent = text;
  }

  async #logOut() {
    try {
      await api.logOut();
    } catch {
      return this.#report(false);
    }
    forgetDrafts();
    location.assign("/desk/login");
  }
}

/** Why this agent cannot answer now, or nothing. */
function whyNot(ticket) {
  if (ticket.state === "waiting") return "Claim it to answer.";
  if (ticket.state === "merged") return `It is part of ${ticket.merged_into} now.`;
  if (ticket.state === "human") return ticket.mine ? "" : `${words.holder(ticket)} has it.`;
  return ticket.state === "resolved" ? "It is resolved." : "The bot has it again.";
}

new Desk().start();
