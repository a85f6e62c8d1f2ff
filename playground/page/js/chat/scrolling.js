// Where the list of messages stands: it follows what is new, until the reader scrolls away, and never hides the start of
// an answer that is taller than the window.

import { el } from "../core/dom.js";

const NEAR_BOTTOM_PX = 120;
const MARGIN_PX = 18;
const GESTURE_MS = 1000; // a wheel or a key goes on moving the list for about this long
const GESTURES = ["wheel", "touchmove", "keydown", "pointerdown"];

export class Scrolling {
  /** `scroller` scrolls, `list` grows in it; `onTop()` is called when the reader nears the oldest message. */
  constructor(scroller, list, onTop) {
    this.scroller = scroller;
    this.list = list;
    this.isFollowing = true;
    this.missed = 0;
    this.target = null; // where it was last put
    this.heights = "";
    this.gestureAt = -Infinity;
    this.button = el("button", { class: "jump-newest", type: "button", hidden: true, on: { click: () => this.toNewest() } });
    for (const gesture of GESTURES) scroller.addEventListener(gesture, () => this.byHand(), { passive: true });
    scroller.addEventListener("scroll", () => {
      this.moved();
      if (this.isNearBottom()) this.missed = 0;
      this.drawButton();
      if (scroller.scrollTop < scroller.clientHeight) onTop();
    });
    new ResizeObserver(() => this.follow()).observe(list);
    new ResizeObserver(() => this.follow()).observe(scroller);
  }

  isNearBottom() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR_BOTTOM_PX;
  }

  /** The reader moves the list from here on. */
  byHand() {
    this.gestureAt = performance.now();
  }

  /** The list stands elsewhere: because it was put there, because the browser moved it when a line became shorter (then
   * it goes on following), or because the reader scrolled. */
  moved() {
    const isPut = Math.abs(this.scroller.scrollTop - this.target) <= 1;
    if (this.isNearBottom()) this.isFollowing = true;
    else if (!isPut && this.isFollowing && this.isByBrowser()) this.follow();
    else if (!isPut) this.isFollowing = false;
  }

  isByBrowser() {
    return this.heights !== this.measure() && performance.now() - this.gestureAt > GESTURE_MS;
  }

  measure() {
    return `${this.scroller.scrollHeight} ${this.scroller.clientHeight}`;
  }

  /** Something new stands at the end; `isMine`: the reader asked for it and wants to see it wherever they are. */
  added(isMine) {
    if (isMine) this.isFollowing = true;
    if (this.isFollowing) this.follow();
    else {
      this.missed += 1;
      this.drawButton();
    }
  }

  /** Goes to the end, or to the start of the last message where that is taller than the window. */
  follow() {
    if (!this.isFollowing) {
      this.drawButton();
      return;
    }
    const { scroller } = this;
    const bottom = scroller.scrollHeight - scroller.clientHeight;
    const last = this.list.lastElementChild;
    const start = last ? last.offsetTop - MARGIN_PX : bottom;
    this.go(Math.max(0, Math.min(bottom, start)));
  }

  go(top) {
    const { scroller } = this;
    if (Math.abs(scroller.scrollTop - top) > 1) scroller.scrollTop = top;
    this.target = top;
    this.heights = this.measure();
    this.drawButton();
  }

  toNewest() {
    this.isFollowing = true;
    this.missed = 0;
    this.follow();
  }

  /** Runs `change`, which puts older messages above, without moving what the reader looks at. */
  keepPlace(change) {
    const fromBottom = this.scroller.scrollHeight - this.scroller.scrollTop;
    change();
    this.go(this.scroller.scrollHeight - fromBottom);
  }

  drawButton() {
    this.button.hidden = this.isFollowing || this.isNearBottom();
    const text = this.missed ? `${this.missed} new · Jump to newest` : "Jump to newest";
    if (this.button.textContent !== text) this.button.textContent = text; // each new text is laid out, and this is called with every scroll
  }
}
