/* Making and updating elements. Text is only ever text: nothing here takes HTML. */

/** An element; functions among the attributes are listeners, what is null is left out. */
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value ?? false) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function byId(id) {
  return document.getElementById(id);
}

/**
 * Makes the children of `parent` show `items`, in order. A child is kept as long as its key is
 * there, so that focus, selection and what a screen reader has read stay as they are.
 */
export function keyed(parent, items, { key, make, update }) {
  const known = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  const wanted = new Set(items.map((item) => String(key(item))));
  for (const [id, node] of known) if (!wanted.has(id)) node.remove();
  let place = parent.firstElementChild;
  for (const item of items) {
    const id = String(key(item));
    const node = known.get(id) ?? make(item);
    node.dataset.key = id;
    update(node, item);
    if (node === place) place = place.nextElementSibling;
    else parent.insertBefore(node, place);
  }
}

/** Whether `shown` differs from what this node showed at the last call. */
export function changed(node, shown) {
  const text = JSON.stringify(shown);
  if (node.shown === text) return false;
  node.shown = text;
  return true;
}
