/* Shows the messages. Elements are kept and only their state is changed, because whatever is added to
 * the log is read out by a screen reader. */

import { card } from "./card.js";
import { markdown, safe } from "./markdown.js";

export class Transcript {
  #log = document.getElementById("transcript");
  #replies = document.getElementById("replies");
  #typing = document.getElementById("typing");
  #scroller = document.getElementById("scroller");
  #elements = new Map();
  #offered = "[]";
  #actions;
  #limit;

  /** `actions`: retry(item), edit(item), choose(button). */
  constructor(actions, limit) {
    this.#actions = actions;
    this.#limit = limit;
  }

  show(items, { typing, loading }) {
    const near = this.#nearEnd();
    this.#log.setAttribute("aria-live", loading ? "off" : "polite");
    const added = this.#place(items);
    this.#states(items);
    this.#offer(items.at(-1));
    this.#typing.hidden = !typing;
    const mine = added.some((item) => item.author === "customer");
    if (loading || mine || (near && !added.length)) this.toEnd();
    else if (near) this.#reveal(added[0]);
  }

  toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  /** Adds, moves and removes so that the log shows exactly these; returns the new ones. */
  #place(items) {
    const keys = new Set(items.map((item) => item.key));
    for (const [key, shown] of this.#elements) {
      if (keys.has(key)) continue;
      shown.remove();
      this.#elements.delete(key);
    }
    const added = [];
    let last = this.#log.firstElementChild; // the greeting
    let before = { author: "bot", author_name: "" };
    for (const item of items) {
      let shown = this.#elements.get(item.key);
      if (!shown) {
        shown = message(item);
        this.#elements.set(item.key, shown);
        added.push(item);
      }
      if (last.nextElementSibling !== shown) last.after(shown);
      shown.classList.toggle("run", sameSpeaker(before, item));
      last = shown;
      before = item;
    }
    return added;
  }

  #states(items) {
    const lastMine = items.findLast((item) => item.author === "customer");
    for (const item of items) {
      if (item.author === "customer") this.#state(item, item === lastMine);
    }
  }

  #state(item, latest) {
    const line = this.#elements.get(item.key).querySelector(".state");
    const [text, action] = this.#words(item, latest);
    const said = `${item.state} ${text}`;
    if (line.dataset.said === said) return;
    line.dataset.said = said;
    line.dataset.state = item.state;
    // Only a failure is worth an interruption.
    if (item.state === "failed") line.setAttribute("role", "alert");
    else line.removeAttribute("role");
    line.replaceChildren(text);
    if (action) line.append(" ", this.#action(action, item));
  }

  #words({ state, trouble, time }, latest) {
    if (state === "delivered") return [latest ? ["Delivered", clock(time)].filter(Boolean).join(" · ") : ""];
    if (state === "waiting") return ["Not sent yet, trying again"];
    if (state === "held") return ["Waiting"];
    if (state === "sending") return ["Sending"];
    if (trouble?.status === 413) {
      const most = this.#limit.toLocaleString("en-GB");
      return [`Too long to send. A message may have up to ${most} characters.`, "edit"];
    }
    return [trouble?.detail || "Not sent.", "retry"];
  }

  #action(name, item) {
    const button = element("button", name === "edit" ? "Edit" : "Try again");
    button.type = "button";
    button.addEventListener("click", () => this.#actions[name](item));
    return button;
  }

  #offer(last) {
    const buttons = last && last.author !== "customer" ? (last.buttons ?? []) : [];
    const offered = JSON.stringify(buttons.length ? [last.key, buttons] : []);
    this.#replies.hidden = !buttons.length;
    if (offered === this.#offered) return;
    this.#offered = offered;
    this.#replies.replaceChildren(...buttons.map((reply) => {
      const button = element("button", reply.title);
      button.type = "button";
      button.addEventListener("click", () => this.#actions.choose(reply));
      return button;
    }));
  }

  #nearEnd() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight < 80;
  }

  /** An answer that is longer than the window is shown from its beginning. */
  #reveal(item) {
    const top = this.#elements.get(item.key).offsetTop - 12;
    const end = this.#scroller.scrollHeight - this.#scroller.clientHeight;
    this.#scroller.scrollTop = Math.min(top, end);
  }
}

function element(tag, ...children) {
  const made = document.createElement(tag);
  made.append(...children);
  return made;
}

function classed(name, tag, ...children) {
  const made = element(tag, ...children);
  made.className = name;
  return made;
}

function message(item) {
  if (item.author === "system") return classed("message note", "article", ...plain(item.text));
  const who = classed("who", "p", [speaker(item), clock(item.time)].filter(Boolean).join(" · "));
  const bot = item.author === "bot";
  const from = item.sources?.[0]?.url;
  const text = bot ? [markdown(item.text, from)] : plain(item.text);
  const bubble = classed("bubble", "div", ...text);
  const made = classed(`message ${item.author}`, "article", who, bubble);
  if (bot && item.order) made.append(card(item.order));
  if (item.sources?.length) made.append(sources(item.sources));
  if (item.author === "customer") {
    who.textContent = "You";
    made.append(classed("state", "p"));
    made.lastChild.setAttribute("aria-live", "off");
  }
  return made;
}

function speaker({ author, author_name: name }) {
  return author === "bot" ? "Automated assistant" : name || "A colleague";
}

function sameSpeaker(one, other) {
  return one.author === other.author && (one.author_name || "") === (other.author_name || "");
}

function plain(text) {
  return String(text).split("\n").flatMap((line, at) => (at ? [element("br"), line] : [line]));
}

function sources(list) {
  const links = new Map(list.map((source) => [source.url, source]));
  const made = classed("sources", "p", "From: ");
  for (const { url, title, heading } of links.values()) {
    if (made.childNodes.length > 1) made.append(", ");
    const text = heading && heading !== title ? `${title} › ${heading}` : title;
    const address = safe(url);
    if (!address) {
      made.append(text);
      continue;
    }
    const link = element("a", text);
    link.href = address;
    link.target = "_blank";
    link.rel = "noopener noreferrer";
    made.append(link);
  }
  return made;
}

/** 14:02, or with the day when that is not today. */
function clock(time) {
  const then = new Date(time);
  if (!time || Number.isNaN(then.getTime())) return "";
  const today = then.toDateString() === new Date().toDateString();
  const day = today ? {} : { day: "numeric", month: "short" };
  return then.toLocaleString("en-GB", { hour: "2-digit", minute: "2-digit", ...day });
}
