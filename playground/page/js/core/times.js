// Times as a reader wants them.

import { state } from "./state.js";

const DAY_MS = 86400000;

/** "14:05", "Yesterday at 14:05", or the date. */
export function shortTime(iso) {
  const date = new Date(iso);
  const time = new Intl.DateTimeFormat(state.locale, { timeStyle: "short" }).format(date);
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(iso).setHours(0, 0, 0, 0)) / DAY_MS);
  if (days === 0) return time;
  if (days === 1) return `Yesterday at ${time}`;
  return new Intl.DateTimeFormat(state.locale, { dateStyle: "short", timeStyle: "short" }).format(date);
}

export function longTime(iso) {
  return new Intl.DateTimeFormat(state.locale, { dateStyle: "full", timeStyle: "short" }).format(new Date(iso));
}
