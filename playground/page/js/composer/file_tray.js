// The files that will go with the next message.

import { el, fill, icon, mebibytes } from "../core/dom.js";
import { toast } from "../core/popups.js";
import { state } from "../core/state.js";

const MOST_FILES = 10;

export class FileTray {
  constructor() {
    this.files = [];
    this.element = el("div", { class: "file-tray" });
  }

  /** Adds a file, or says why it can't be sent. */
  add(file) {
    const limit = state.switches.attachment_size_limit;
    if (file.size > limit) toast(`${file.name} is too large. The limit is ${mebibytes(limit)}.`);
    else if (this.files.length >= MOST_FILES) toast(`One message takes at most ${MOST_FILES} files.`);
    else this.set([...this.files, file]);
  }

  set(files) {
    this.files = files;
    fill(this.element, files.map((file) => this.item(file)));
  }

  /** Gives the files away and is empty. */
  takeAll() {
    const files = this.files;
    this.set([]);
    return files;
  }

  item(file) {
    const title = `Remove ${file.name}`;
    return el(
      "div",
      { class: "tray-item" },
      file.type.startsWith("image/") ? el("img", { src: URL.createObjectURL(file), alt: "" }) : icon("file"),
      el("span", { class: "tray-name" }, file.name),
      el("button", { class: "tool", type: "button", title, "aria-label": title, on: { click: () => this.set(this.files.filter((f) => f !== file)) } }, icon("trash")),
    );
  }
}
