// Small layers over the page: menus, pickers, notices. One menu at a time; a click elsewhere or Escape closes it.

import { el } from "./dom.js";

let closeOpen = null;

/** Closes the open menu, if there is one. */
export function closeMenu() {
  closeOpen?.();
}

/** Shows `node` at (x, y) of the window, moved so that it fits; calls `onClose` when it goes. */
export function showAt(node, x, y, onClose = () => {}) {
  closeMenu();
  node.classList.add("popup");
  // Inside an open dialog, or it would lie under it.
  (document.querySelector("dialog[open]") ?? document.getElementById("layers")).append(node);
  const box = node.getBoundingClientRect();
  node.style.left = `${Math.max(8, Math.min(x, innerWidth - box.width - 8))}px`;
  node.style.top = `${Math.max(8, Math.min(y, innerHeight - box.height - 8))}px`;
  const outside = (event) => {
    if (!node.contains(event.target)) closeMenu();
  };
  const escape = (event) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      closeMenu();
    }
  };
  closeOpen = () => {
    closeOpen = null;
    document.removeEventListener("pointerdown", outside, true);
    document.removeEventListener("keydown", escape, true);
    node.remove();
    onClose();
  };
  document.addEventListener("pointerdown", outside, true);
  document.addEventListener("keydown", escape, true);
}

/** A menu of `{label, icon, danger, action}` entries; a string is a heading, null a line. */
export function menu(entries, x, y) {
  const node = el(
    "div",
    { class: "menu", role: "menu" },
    entries.map((entry) => {
      if (entry === null) return el("hr");
      if (typeof entry === "string") return el("div", { class: "menu-heading" }, entry);
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
    }),
  );
  showAt(node, x, y);
  node.querySelector("button")?.focus();
}

/** Says something for a few seconds at the bottom of the window. */
export function toast(text) {
  const node = el("div", { class: "toast", role: "alert" }, text);
  document.getElementById("layers").append(node);
  setTimeout(() => node.remove(), 6000);
}
