// Day or night: what the system says, unless this browser was told otherwise.

const KEY = "theme";

export const THEMES = { system: "Like my system", light: "Light", dark: "Dark" };

export function currentTheme() {
  return localStorage.getItem(KEY) ?? "system";
}

export function setTheme(theme) {
  localStorage.setItem(KEY, theme);
  applyTheme();
}

/** Puts the chosen theme on the page; theme.css does the rest. */
export function applyTheme() {
  const theme = currentTheme();
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
