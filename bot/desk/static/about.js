/* What is known of the open ticket: in short, why it is urgent, its clocks, its history, the mood. */

import { byId, changed, el } from "./dom.js";
import * as words from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDE = 240;
const HIGH = 48;

export class About {
  #open;

  /** `open(conversationId)` shows another conversation. */
  constructor(open) {
    this.#open = open;
    byId("about-open").addEventListener("click", () => this.#toggle(byId("about").hidden));
  }

  open() {
    this.#toggle(byId("about").hidden);
    byId("about-open").focus();
  }

  show(ticket, { clocks = [], history = [], earlier = [], messages = [] }) {
    const moods = messages.filter((it) => it.author === "customer" && it.mood);
    const times = clocks.map(clock);
    this.#part("summary", ticket.summary, () => summary(ticket.summary));
    this.#part("priority", ticket.priority_why, () => list("Why this priority", ticket.priority_why ?? []));
    this.#part("mood", moods.map((it) => it.mood.level), () => plot(moods));
    this.#part("clocks", times, () => list("Clocks", times));
    this.#part("earlier", earlier.map((it) => [it.id, it.state]), () => this.#earlier(earlier));
    this.#part("history", [ticket.id, history.length], () => list("History", history.map(event)));
  }

  /** A part is made anew only when it says something else: the focus may be in another one. */
  #part(name, shown, make) {
    let part = byId("about").querySelector(`[data-part="${name}"]`);
    if (!part) {
      part = el("div", { "data-part": name });
      byId("about").append(part);
    }
    if (changed(part, shown ?? null)) part.replaceChildren(...make());
  }

  #toggle(open) {
    byId("about").hidden = !open;
    byId("about-open").setAttribute("aria-expanded", String(open));
  }

  #earlier(earlier) {
    return list("Earlier", earlier.map((it) => el("span", {},
      el("button", { type: "button", class: "link", click: () => this.#open(it.conversation_id) }, it.number),
      ` ${words.clock(it.opened_at)}, ${words.state(it).toLowerCase()}: ${it.reason}`)));
  }
}

function list(title, entries) {
  if (!entries.length) return [];
  return [el("h3", {}, title), el("ul", {}, ...entries.map((entry) => el("li", {}, entry)))];
}

/** The customer's own words and what was shown: nothing here is made up. */
function summary(found) {
  if (!found) return [];
  const tried = found.tried.map((it) => el("a", { href: it.url.startsWith("/") ? it.url : null }, it.title));
  const unanswered = found.unanswered ? [`${found.unanswered} without an answer`] : [];
  const facts = found.facts.map((it) => `${it.entity.replaceAll("_", " ")}: ${it.value}`);
  return [
    ...list("Asked", found.asked.map((text) => `“${text}”`)),
    ...list("Shown by the bot", [...tried, ...unanswered]),
    ...list("Named", facts),
    ...list("Felt", found.felt ? [found.felt] : []),
  ];
}

function clock(it) {
  const at = (moment) => words.clock(new Date(moment).toISOString());
  const pauses = it.pauses.map(([from, to]) => (to ? `${at(from)} to ${at(to)}` : `since ${at(from)}`));
  const paused = pauses.length ? `, paused ${pauses.join(", ")}` : "";
  const due = it.due_at ? new Date(it.due_at).toISOString() : null;
  let state = "stands still: the customer is to speak";
  if (it.stopped_at) state = it.breached ? "was too late" : "in time";
  else if (due) state = `due ${words.until(due)} (${words.clock(due)})`;
  return `${words.clockName(it.clock)}: ${state}. ${Math.round(it.used)} of ${it.minutes} min since ${at(it.started_at)}${paused}; rule “${it.rule}”`;
}

function event(it) {
  const who = it.agent ? `${it.agent}: ` : "";
  const text = it.data.text ?? "";
  const more = text ? ` “${text}”` : it.data.why ? ` (${it.data.why})` : it.data.tags ? ` (${it.data.tags.join(", ")})` : "";
  const shown = `${words.clock(it.at)} ${who}${it.words}${more}`;
  return it.kind === "noted" ? el("span", { class: "internal" }, el("b", {}, "Internal "), shown) : shown;
}

/** The mood over time, as a line; in words for those who do not see it. */
function plot(moods) {
  if (moods.length < 2) return [];
  const levels = moods.map((it) => Math.max(0, Math.min(3, it.mood.level ?? 0)));
  const points = levels.map((level, at) =>
    `${4 + (at * (WIDE - 8)) / (levels.length - 1)},${HIGH - 6 - (level * (HIGH - 12)) / 3}`);
  const svg = document.createElementNS(SVG, "svg");
  const said = moods.map((it) => words.mood(it.mood).toLowerCase()).join(", ");
  for (const [name, value] of Object.entries({
    viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", class: "plot", "aria-label": `Mood, message by message: ${said}`,
  })) svg.setAttribute(name, value);
  const line = document.createElementNS(SVG, "polyline");
  line.setAttribute("points", points.join(" "));
  svg.append(line, ...points.map((point) => {
    const dot = document.createElementNS(SVG, "circle");
    const [x, y] = point.split(",");
    for (const [name, value] of Object.entries({ cx: x, cy: y, r: 3 })) dot.setAttribute(name, value);
    return dot;
  }));
  return [el("h3", {}, "Mood"), svg];
}
