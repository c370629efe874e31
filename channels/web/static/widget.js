/* Rapport, the chat on your page:
 *
 *   <script src="https://chat.shop.example/widget.js" async></script>
 *
 * Optional: data-title="Chat with us", data-accent="#1f5a4a", data-position="left",
 * data-identity="…": a token that says who is signed in (or Rapport.identify(token), later).
 *
 * The page that embeds this must never suffer from it. So there is one global, everything visible
 * lives in a shadow root, all styles are set from script (a strict style-src does not matter), and
 * nothing listens to the page's keys.
 */
(() => {
  "use strict";
  if (window.Rapport) return;

  const script = document.currentScript || document.querySelector('script[src*="/widget.js"]');
  if (!script) return;
  const gateway = new URL(script.src).origin;
  const { title = "", accent = "", position = "right" } = script.dataset;
  let { identity = "" } = script.dataset;
  const hex = /^#([\da-f]{3}|[\da-f]{6})$/i.test(accent) ? accent : "#1f5a4a";
  const side = position === "left" ? "left" : "right";
  const label = title || "Chat with us";

  const CSS = `
    :host { --gap: max(20px, env(safe-area-inset-${side})); }
    [hidden] { display: none !important; }
    button, .panel { position: fixed; ${side}: var(--gap); box-sizing: border-box; }
    button {
      bottom: max(20px, env(safe-area-inset-bottom)); width: 60px; height: 60px; padding: 0;
      border: 0; border-radius: 50%; background: ${hex}; color: ${inkOn(hex)}; cursor: pointer;
      box-shadow: 0 1px 3px #0004, 0 6px 20px #0003; display: grid; place-items: center;
      transition: transform .15s;
    }
    button:hover { transform: scale(1.05); }
    button:focus-visible { outline: 3px solid #fff; box-shadow: 0 0 0 6px #14211c; }
    svg { width: 28px; height: 28px; }
    .badge {
      position: absolute; top: -4px; right: -4px; min-width: 24px; height: 24px; padding: 0 6px;
      box-sizing: border-box; border-radius: 12px; border: 2px solid #fff; background: #b3261e;
      color: #fff; font: 700 13px/20px system-ui, sans-serif; text-align: center;
    }
    .panel {
      bottom: calc(max(20px, env(safe-area-inset-bottom)) + 72px);
      width: min(380px, calc(100vw - 40px)); height: min(600px, calc(100dvh - 112px));
      overflow: hidden; border-radius: 16px; background: #fff; color-scheme: light dark;
      box-shadow: 0 2px 8px #0003, 0 16px 48px #0003;
    }
    iframe { display: block; width: 100%; height: 100%; border: 0; color-scheme: light dark; }
    @media (max-width: 479.9px) {
      .panel {
        inset: 0; width: 100%; height: 100vh; height: 100dvh; border-radius: 0; box-shadow: none;
        padding: env(safe-area-inset-top) env(safe-area-inset-right)
          env(safe-area-inset-bottom) env(safe-area-inset-left);
      }
      /* The frame has its own way back; without it the launcher stays on top, so nobody is stuck. */
      .panel.ready:not([hidden]) ~ button { display: none; }
    }
    @media (prefers-color-scheme: dark) { .panel { background: #16201c; } }
    @media (prefers-reduced-motion: reduce) { button { transition: none; } }
    @media print { :host { display: none !important; } }`;

  const SPEECH =
    "M6 4h12a3 3 0 0 1 3 3v7a3 3 0 0 1-3 3h-7l-5 4v-4a3 3 0 0 1-3-3V7a3 3 0 0 1 3-3z";
  const DOWN = "m5 9 7 7 7-7";

  let open = false;
  let ready = false;
  let frame, panel, button, badge, icon, root;

  /** Black or white, whichever reads better on this colour. */
  function inkOn(colour) {
    const digits = colour.length === 4 ? colour.replace(/[^#]/g, "$&$&") : colour;
    const [r, g, b] = [1, 3, 5].map((at) => {
      const part = parseInt(digits.slice(at, at + 2), 16) / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#111" : "#fff";
  }

  function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const name in attributes) element.setAttribute(name, attributes[name]);
    element.append(...children);
    return element;
  }

  function drawing() {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    const look = {
      fill: "none", stroke: "currentColor", "stroke-width": 2,
      "stroke-linecap": "round", "stroke-linejoin": "round",
    };
    for (const name in look) path.setAttribute(name, look[name]);
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    svg.append(path);
    return svg;
  }

  function build() {
    const host = document.createElement("rapport-chat");
    // The page's own rules (for *, say) must not reach this one element that is outside the shadow.
    const place = { all: "initial", position: "fixed", "z-index": "2147483000" };
    for (const name in place) host.style.setProperty(name, place[name], "important");
    root = host.attachShadow({ mode: "open" });
    dress(root);

    badge = make("span", { class: "badge", "aria-hidden": "true" });
    badge.hidden = true;
    icon = drawing();
    button = make("button", { type: "button", "aria-expanded": "false" }, icon, badge);
    button.addEventListener("click", toggle);
    button.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && open) close();
    });
    panel = make("div", { class: "panel" });
    panel.hidden = true;
    root.append(panel, button);
    document.body.append(host);
    window.addEventListener("message", hear);
    window.visualViewport?.addEventListener("resize", fit);
    window.visualViewport?.addEventListener("scroll", fit);
    show();

    // Loaded after the page itself, so that the shop is never slower; opening does not wait.
    if (open || document.readyState === "complete") load();
    else window.addEventListener("load", load, { once: true });
  }

  function dress(root) {
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(CSS);
      root.adoptedStyleSheets = [sheet];
    } catch {
      root.append(make("style", {}, CSS)); // older browsers
    }
  }

  function load() {
    if (frame) return;
    const address = new URL("/widget/frame", gateway);
    address.searchParams.set("host", location.origin);
    address.searchParams.set("accent", hex);
    address.searchParams.set("ink", inkOn(hex));
    if (title) address.searchParams.set("title", title);
    frame = make("iframe", { title: label, src: address.href });
    panel.append(frame);
  }

  function hear(event) {
    if (event.origin !== gateway || !frame || event.source !== frame.contentWindow) return;
    const said = event.data || {};
    if (said.rapport === "ready") {
      ready = true;
      panel.classList.add("ready");
      introduce();
      tell();
    } else if (said.rapport === "close") close();
    else if (said.rapport === "unread") count(Number(said.count) || 0);
  }

  function tell() {
    if (ready) frame.contentWindow.postMessage({ rapport: open ? "open" : "closed" }, gateway);
  }

  function introduce() {
    if (!ready || !identity) return;
    frame.contentWindow.postMessage({ rapport: "identity", token: identity }, gateway);
  }

  function count(messages) {
    badge.hidden = !messages;
    badge.textContent = messages > 9 ? "9+" : messages;
    const news = messages === 1 ? "1 new message" : `${messages} new messages`;
    button.setAttribute("aria-label", messages ? `${label}, ${news}` : label);
  }

  function show() {
    panel.hidden = !open;
    button.setAttribute("aria-expanded", open);
    icon.firstChild.setAttribute("d", open ? DOWN : SPEECH);
    if (open || badge.hidden) count(0);
    fit();
  }

  /** On a phone the keyboard covers the page; the chat then takes what is left. */
  function fit() {
    const view = window.visualViewport;
    const full = open && view && view.scale === 1 && innerWidth < 480;
    panel.style.height = full ? `${view.height}px` : "";
    panel.style.top = full ? `${view.offsetTop}px` : "";
    panel.style.bottom = full ? "auto" : "";
  }

  function change(to) {
    if (open === to) return;
    open = to;
    if (!button) return; // the body is not there yet; build() looks at `open`
    const within = root.activeElement === frame && frame;
    if (open) load();
    show();
    if (open) frame.focus();
    else if (within) button.focus();
    tell();
  }

  const close = () => change(false);
  const toggle = () => change(!open);
  const identify = (token) => {
    identity = String(token);
    introduce();
  };
  window.Rapport = Object.freeze({ open: () => change(true), close, toggle, identify });

  if (document.body) build();
  else document.addEventListener("DOMContentLoaded", build, { once: true });
})();
