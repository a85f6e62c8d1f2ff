"""Contrast as WCAG 2.2 counts it, measured on the page that is open: https://www.w3.org/TR/WCAG22/#contrast-minimum."""

from __future__ import annotations

from playwright.async_api import Page

AA, AA_LARGE = 4.5, 3.0

_MEASURE = """([aa, large]) => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
  const ground = (node) => {
    const layers = [];
    for (let at = node; at; at = at.parentElement) layers.push(rgba(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((under, layer) => over(layer, under), [255, 255, 255, 1]);
  };
  const luminance = (colour) => {
    const [r, g, b] = colour.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  let count = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (!text || !node.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    // What is disabled or decoration is exempt.
    if (node.closest("[aria-hidden=true], :disabled, .busy, .spoiler, option, audio, noscript")) continue;
    const style = getComputedStyle(node);
    const background = ground(node);
    const colour = over(rgba(style.color), background);
    const [light, dark] = [luminance(colour), luminance(background)].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    count += 1;
    const where = node.className || node.tagName;
    if (ratio < (isLarge ? large : aa)) found.push(`${ratio.toFixed(2)}: "${text.slice(0, 40)}" (${where})`);
  }
  return { count, found };
}"""


async def weak_contrasts(page: Page) -> tuple[int, list[str]]:
    """How many texts are on the page, and those whose contrast with their ground is under AA."""
    measured = await page.evaluate(_MEASURE, [AA, AA_LARGE])
    return int(measured["count"]), list(measured["found"])
