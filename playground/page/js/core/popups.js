// Small layers over the page: menus, pickers, notices. One menu at a time; a click elsewhere or Escape closes it, and the
// focus goes back to where it came from.

import { el } from "./dom.js";

const MARGIN_PX = 8;
const TOAST_MS = 6000;

let closeOpen = null;

/** Closes the open menu, if there is one. */
export function closeMenu() {
  closeOpen?.();
}

/** Shows `node` at (x, y) of the window, moved so that it fits; calls `onClose` when it goes. */
export function showAt(node, x, y, onClose = () => {}) {
  closeMenu();
  const opener = document.activeElement;
  node.classList.add("popup");
  // Inside an open dialog, or it would lie under it.
  (document.querySelector("dialog[open]") ?? document.getElementById("layers")).append(node);
  place(node, x, y);
  const outside = (event) => {
    if (!node.contains(event.target)) closeMenu();
  };
  const keys = (event) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      event.preventDefault();
      closeMenu();
    } else if (node.contains(document.activeElement)) moveFocus(event, node);
  };
  closeOpen = () => {
    closeOpen = null;
    document.removeEventListener("pointerdown", outside, true);
    document.removeEventListener("keydown", keys, true);
    const hadFocus = node.contains(document.activeElement) || document.activeElement === document.body;
    node.remove();
    if (hadFocus && opener?.isConnected) opener.focus();
    onClose();
  };
  document.addEventListener("pointerdown", outside, true);
  document.addEventListener("keydown", keys, true);
}

function place(node, x, y) {
  const box = node.getBoundingClientRect();
  node.style.left = `${Math.max(MARGIN_PX, Math.min(x, innerWidth - box.width - MARGIN_PX))}px`;
  node.style.top = `${Math.max(MARGIN_PX, Math.min(y, innerHeight - box.height - MARGIN_PX))}px`;
}

/** Arrow keys, Home and End move between the items of a menu; Tab stays inside it. */
function moveFocus(event, node) {
  const items = [...node.querySelectorAll("button, a[href], input, select")];
  const at = items.indexOf(document.activeElement);
  const steps = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 };
  if (event.key === "Tab") steps.Tab = event.shiftKey ? at - 1 : at + 1;
  const isField = document.activeElement.matches("input[type=number], select");
  if (!(event.key in steps) || (isField && event.key !== "Tab") || !items.length) return;
  event.preventDefault();
  items[(steps[event.key] + items.length) % items.length].focus();
}

/** A menu of `{label, icon, danger, action}` entries; a string is a heading, null a line. */
export function menu(entries, x, y) {
  const node = el("div", { class: "menu", role: "menu" }, entries.map(menuEntry));
  showAt(node, x, y);
  node.querySelector("button")?.focus();
}

function menuEntry(entry) {
  if (entry === null) return el("hr");
  if (typeof entry === "string") return el("div", { class: "menu-heading", role: "presentation" }, entry);
  const choose = () => {
    closeMenu();
    entry.action();
  };
  return el(
    "button",
    { class: entry.danger ? "menu-item danger" : "menu-item", role: "menuitem", type: "button", on: { click: choose } },
    el("span", {}, entry.label),
    entry.icon ?? null,
  );
}

/** Says something for a few seconds at the bottom of the window. */
export function toast(text) {
  const node = el("div", { class: "toast", role: "alert" }, text);
  document.getElementById("layers").append(node);
  setTimeout(() => node.remove(), TOAST_MS);
}
