// On narrow windows channels and members are drawers: one at a time, over the chat.

import { el } from "../core/dom.js";

export class Drawers {
  /** `panels` maps a drawer's name to its element; the shell gets the class `<name>-open` while one is open. */
  constructor(shell, panels) {
    this.shell = shell;
    this.panels = panels;
    this.open = null;
    this.opener = null;
    this.scrim = el("div", { class: "scrim", on: { click: () => this.close() } });
    shell.append(this.scrim);
    shell.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.open) this.close();
    });
  }

  toggle(name) {
    if (this.open === name) this.close();
    else this.show(name);
  }

  show(name) {
    if (this.open) this.shell.classList.remove(`${this.open}-open`);
    else this.opener = document.activeElement;
    this.open = name;
    this.shell.classList.add(`${name}-open`);
    this.panels[name].querySelector("a, button")?.focus();
  }

  close() {
    if (!this.open) return;
    this.shell.classList.remove(`${this.open}-open`);
    this.open = null;
    if (this.opener?.isConnected) this.opener.focus();
  }
}
