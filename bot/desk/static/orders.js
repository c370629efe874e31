/* The orders that were proven in the open conversation, as the shop tells them now. Read again when
 * the customer or the bot has said more, and when the agent asks for it. */

import * as api from "./api.js";
import { byId, changed, el, keyed } from "./dom.js";

const LOST = "The orders could not be read. Try again in a minute.";

export class Orders {
  #conversation = null;
  #read = ""; // what was said when the orders were read last

  constructor() {
    byId("orders-again").addEventListener("click", () => this.#look());
  }

  show(conversationId, messages) {
    const last = messages.findLast((it) => it.author === "customer" || it.author === "bot");
    const said = `${conversationId} ${last?.id ?? 0}`;
    if (!last || said === this.#read) return;
    this.#read = said;
    // Nobody shall see another customer's orders while these are on their way.
    if (conversationId !== this.#conversation) this.#draw({ orders: [], problem: "" });
    this.#conversation = conversationId;
    this.#look();
  }

  async #look() {
    const id = this.#conversation;
    const read = this.#read;
    const again = byId("orders-again");
    again.setAttribute("aria-disabled", "true");
    const found = await api.orders(id).catch(() => ({ orders: null, problem: LOST }));
    if (read !== this.#read) return; // another look is on its way
    again.removeAttribute("aria-disabled");
    this.#draw(found);
  }

  /** `orders`: null leaves those that are shown. */
  #draw({ orders, problem }) {
    const list = byId("orders-list");
    if (orders) keyed(list, orders, { key: (it) => it.number, make: () => el("li"), update });
    byId("orders-problem").textContent = problem;
    byId("orders").hidden = !problem && !list.children.length;
  }
}

function update(node, order) {
  if (!changed(node, order)) return;
  const open = node.querySelector("details")?.open;
  const head = [order.words, order.promised && `promised by ${day(order.promised)}`];
  const summary = el("summary", {}, el("b", {}, order.number), `: ${head.filter(Boolean).join(", ")}`);
  node.replaceChildren(el("details", { open: open ? "open" : null }, summary, el("dl", {}, ...parts(order))));
}

function parts(order) {
  const lines = order.lines.map(({ title, count, left }) =>
    `${count} × ${title}${left < count ? ` (${count - left} cancelled or returned)` : ""}`);
  if (order.more) lines.push(`and ${order.more} more`);
  const parcels = order.parcels.map((it, at) => {
    const name = order.parcels.length > 1 ? `parcel ${at + 1}` : "the parcel";
    return part(name[0].toUpperCase() + name.slice(1), parcel(it, `Track ${name} (new tab)`));
  });
  return [
    order.placed && part("Placed", [day(order.placed)]),
    order.total && part("Total", [order.total]),
    lines.length ? part("Items", [el("ul", {}, ...lines.map((text) => el("li", {}, text)))]) : null,
    ...parcels,
  ].filter(Boolean);
}

function part(name, children) {
  return el("div", {}, el("dt", {}, name), el("dd", {}, ...children));
}

function parcel({ words, carrier, url }, name) {
  const said = carrier ? `${words}, ${carrier}` : words;
  if (!url.startsWith("https://")) return [said];
  return [`${said}. `, el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, name)];
}

/** "25 November 2026"; a day has no time zone. */
function day(iso) {
  const options = { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" };
  return new Date(`${iso}T00:00:00Z`).toLocaleDateString("en-GB", options);
}
