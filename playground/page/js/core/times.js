// Times as a reader wants them.

import { state } from "./state.js";

const DAY_MS = 86400000;
const formats = new Map();

/** A formatter is slow to make, and every message needs two: one of each kind and language is kept. */
function formatted(date, style) {
  const key = `${state.locale} ${JSON.stringify(style)}`;
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(state.locale, style));
  return formats.get(key).format(date);
}

/** "14:05", "Yesterday at 14:05", or the date. */
export function shortTime(iso) {
  const date = new Date(iso);
  const time = formatted(date, { timeStyle: "short" });
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(iso).setHours(0, 0, 0, 0)) / DAY_MS);
  if (days === 0) return time;
  if (days === 1) return `Yesterday at ${time}`;
  return formatted(date, { dateStyle: "short", timeStyle: "short" });
}

export function longTime(iso) {
  return formatted(new Date(iso), { dateStyle: "full", timeStyle: "short" });
}
