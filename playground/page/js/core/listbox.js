// A list to choose from with arrow keys while the focus stays in a text field (the combobox pattern of WAI-ARIA).

/** Moves the active item up or down on an arrow key; whether the key was one. `input` gets `aria-activedescendant`. */
export function moveActive(event, items, input) {
  if (!items.length || (event.key !== "ArrowDown" && event.key !== "ArrowUp")) return false;
  event.preventDefault();
  const at = activeIndex(items);
  const to = (at + (event.key === "ArrowDown" ? 1 : items.length - 1)) % items.length;
  setActive(items, Math.max(to, 0), input);
  items[Math.max(to, 0)].scrollIntoView({ block: "nearest" });
  return true;
}

/** The number of the active item, or -1. */
export function activeIndex(items) {
  return items.findIndex((item) => item.classList.contains("active"));
}

/** Makes one item the active one, for the eye and for a screen reader. */
export function setActive(items, number, input) {
  items.forEach((item, each) => {
    item.classList.toggle("active", each === number);
    item.setAttribute("aria-selected", String(each === number));
    item.id ||= `item-${(count += 1)}`;
  });
  if (items[number]) input.setAttribute("aria-activedescendant", items[number].id);
  else input.removeAttribute("aria-activedescendant");
}

let count = 0;
