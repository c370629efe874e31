/* A soft word when somebody new waits or a ticket came to this agent: in the page always; by the
 * computer and as a sound if the agent wants that. Both are off until then. */

import { byId, el } from "./dom.js";

const WANTED = "desk.notices";
const SOUND = "desk.sound";
const SHOWN = 10_000;

export class Notices {
  #open;
  #known = null;
  #expected = new Set(); // tickets that are claimed here: they come as no surprise
  #timer;
  #audio = null;

  /** `open(ticket)` opens it. */
  constructor(open) {
    this.#open = open;
    const button = byId("notices");
    // Browsers have them on HTTPS and localhost only.
    button.hidden = !("Notification" in window) || !window.isSecureContext;
    button.addEventListener("click", () => this.#toggle());
    byId("sound").addEventListener("click", () => this.#toggleSound());
    // Browsers let a page sound only after somebody has touched it.
    for (const kind of ["pointerdown", "keydown"]) {
      document.addEventListener(kind, () => sounds() && this.#tune(), { once: true });
    }
    this.#showState();
  }

  /** The agent claims this one: that it is theirs then is no news. */
  expect(ticketId) {
    this.#expected.add(ticketId);
  }

  /** Looks for tickets that wait, or are this agent's, and were not at the last call. */
  look(tickets) {
    const known = this.#known;
    this.#known = new Map();
    let news = null;
    for (const ticket of tickets) {
      const stands = standing(ticket);
      if (!stands) continue;
      this.#known.set(ticket.id, stands);
      const before = known?.get(ticket.id);
      if (known === null || before === stands) continue;
      const text = this.#text(ticket, before);
      if (text) news = news ? { ticket: news.ticket, text: "There is news of more than one ticket." } : { ticket, text };
    }
    if (news) this.#tell(news.text, news.ticket);
  }

  #text(ticket, before) {
    if (ticket.state === "waiting") return before ? "" : `${ticket.number} is waiting`;
    if (this.#expected.delete(ticket.id)) return "";
    if (!before?.startsWith("mine")) return `${ticket.number} is yours now`;
    // Who looks at the desk sees what customers write.
    return document.hidden && ticket.last_message?.author === "customer" ? `${ticket.number}: the customer wrote` : "";
  }

  #tell(text, ticket) {
    this.#inPage(text.endsWith(".") ? text : `${text}: ${ticket.reason}`, ticket);
    if (document.hidden && wanted()) this.#outside(text, ticket);
    if (sounds()) this.#play();
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
    const notice = new Notification("Desk", { body: text, tag: "desk-waiting", silent: true });
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

  #toggleSound() {
    if (sounds()) localStorage.removeItem(SOUND);
    else localStorage.setItem(SOUND, "yes");
    this.#showState();
    if (sounds()) this.#play(); // so that it is known how it sounds
  }

  /** What makes the sound: no file, and nothing from elsewhere. */
  #tune() {
    this.#audio ??= new AudioContext();
    if (this.#audio.state === "suspended") this.#audio.resume().catch(() => {});
    return this.#audio;
  }

  /** Two short soft tones. */
  #play() {
    const audio = this.#tune();
    [660, 880].forEach((pitch, at) => {
      const [tone, volume] = [audio.createOscillator(), audio.createGain()];
      const start = audio.currentTime + at * 0.16;
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0.08, start);
      volume.gain.exponentialRampToValueAtTime(0.001, start + 0.15);
      tone.connect(volume).connect(audio.destination);
      tone.start(start);
      tone.stop(start + 0.15);
    });
  }

  #showState() {
    byId("sound").setAttribute("aria-pressed", String(sounds()));
    byId("sound").textContent = sounds() ? "Sound on" : "Sound off";
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

/** How a ticket stands for this agent; "" when it is nothing to tell of. */
function standing(ticket) {
  if (ticket.state === "waiting") return "waiting";
  if (ticket.state !== "human" || !ticket.mine) return "";
  const last = ticket.last_message;
  return last?.author === "customer" ? `mine ${last.time}` : "mine";
}

function sounds() {
  return localStorage.getItem(SOUND) === "yes";
}

function wanted() {
  return (
    "Notification" in window &&
    Notification.permission === "granted" &&
    localStorage.getItem(WANTED) === "yes"
  );
}
