/* The order that an answer is about, in short. All of it comes from the shop: it is only ever text. */

let made = 0; // cards, for the ids of their headings

/** A group named after the order: its state, its lines, its parcels with where to follow them. No
 * landmark, for the same order may be told of twice. */
export function card(order) {
  const heading = element("h2", `Order ${order.number}`);
  heading.id = `order-${++made}`;
  const list = element("dl");
  part(list, "State", [order.words]);
  if (order.lines.length) part(list, "Items", [lines(order)]);
  const { parcels } = order;
  if (parcels.length === 1) part(list, "Parcel", parcel(parcels[0], "Track the parcel"));
  else parcels.forEach((it, at) => {
    const name = `Parcel ${at + 1} of ${parcels.length}`;
    part(list, name, parcel(it, `Track parcel ${at + 1}`));
  });
  const group = element("div", heading, list);
  group.className = "order";
  group.setAttribute("role", "group");
  group.setAttribute("aria-labelledby", heading.id);
  return group;
}

function part(list, name, children) {
  list.append(element("dt", name), element("dd", ...children));
}

function lines({ lines: all, more }) {
  const entries = all.map(({ title, count, left }) => {
    const gone = count - left;
    return `${count} × ${title}${gone ? ` (${gone} cancelled or returned)` : ""}`;
  });
  if (more) entries.push(`and ${more} more`);
  return element("ul", ...entries.map((text) => element("li", text)));
}

function parcel({ words, carrier, url }, name) {
  const said = carrier ? `${words}, ${carrier}` : words;
  const address = secure(url);
  if (!address) return [said];
  const link = element("a", `${name} (new tab)`);
  link.href = address;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  return [said, element("br"), link];
}

/** The address when it is https, else null: whatever the gateway lets through. */
function secure(url) {
  try {
    const { protocol, href } = new URL(url);
    return protocol === "https:" ? href : null;
  } catch {
    return null;
  }
}

function element(tag, ...children) {
  const it = document.createElement(tag);
  it.append(...children);
  return it;
}
