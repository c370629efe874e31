/* A soft word when somebody new waits: in the page always, by the computer if the agent wants that.
 * No sound. */

import { byId, el } from "./dom.js";

const WANTED = "desk.notices";
const SHOWN = 10_000;

export class Notices {
  #open;
  #known = null;
  #timer;

  /** `open(ticket)` opens it. */
  constructor(open) {
    this.#open = open;
    const button = byId("notices");
    // Browsers have them on HTTPS and localhost only.
    button.hidden = !("Notification" in window) || !window.isSecureContext;
    button.addEventListener("click", () => this.#toggle());
    this.#showState();
  }

  /** Looks for tickets that wait and did not at the last call. */
  look(tickets) {
    const waiting = tickets.filter((ticket) => ticket.state === "waiting");
    const fresh = this.#known ? waiting.filter((ticket) => !this.#known.has(ticket.id)) : [];
    this.#known = new Set(waiting.map((ticket) => ticket.id));
    if (fresh.length) this.#tell(fresh);
  }

  #tell(fresh) {
    const [first] = fresh;
    const text = fresh.length > 1
      ? `${fresh.length} more customers are waiting.`
      : `${first.number} is waiting: ${first.reason}`;
    this.#inPage(text, first);
    if (document.hidden && wanted()) this.#outside(text, first);
  }

  #inPage(text, ticket) {
    const hide = () => byId("notice").replaceChildren();
    const show = () => {
      hide();
      this.#open(ticket);
    };
    byId("notice").replaceChildren(
      el("span", {}, text), " ",
      el("button", { type: "button", click: show }, "Show"),
      el("button", { type: "button", click: hide }, "Dismiss"),
    );
    clearTimeout(this.#timer);
    this.#timer = setTimeout(hide, SHOWN);
  }

  /** Without the reason: it would stand on a locked screen. */
  #outside(text, ticket) {
    const body = text.split(":")[0];
    const notice = new Notification("Desk", { body, tag: "desk-waiting", silent: true });
    notice.addEventListener("click", () => {
      window.focus();
      this.#open(ticket);
      notice.close();
    });
  }

  async #toggle() {
    if (wanted()) localStorage.removeItem(WANTED);
    else if ((await Notification.requestPermission()) === "granted") {
      localStorage.setItem(WANTED, "yes");
    }
    this.#showState();
  }

  #showState() {
    const button = byId("notices");
    const on = wanted();
    const blocked = "Notification" in window && Notification.permission === "denied";
    button.setAttribute("aria-pressed", String(on));
    button.textContent = on ? "Notices on" : "Notices off";
    button.title = blocked
      ? "Your browser blocks notices from this page."
      : "A silent notice from this computer when somebody new waits and this page is hidden.";
  }
}

function wanted() {
  return (
    "Notification" in window &&
    Notification.permission === "granted" &&
    localStorage.getItem(WANTED) === "yes"
  );
}
