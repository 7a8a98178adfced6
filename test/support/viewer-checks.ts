/**
 * Checks that run inside a page, so each is one function without anything from outside. They look at what is visible.
 */

/** Texts whose contrast against what is behind them is below WCAG AA: 4.5, or 3 for large text. */
export function contrastFailures(): string[] {
  const canvas = document.createElement("canvas");
  canvas.width = 1;
  canvas.height = 1;
  const paint = canvas.getContext("2d", { willReadFrequently: true });
  if (paint === null) throw new Error("There is no canvas.");
  const over = (color: string, behind: readonly number[]): number[] => {
    paint.fillStyle = `rgb(${behind.join(" ")})`;
    paint.fillRect(0, 0, 1, 1);
    paint.fillStyle = color;
    paint.fillRect(0, 0, 1, 1);
    return [...paint.getImageData(0, 0, 1, 1).data.slice(0, 3)];
  };
  const backgroundOf = (element: Element): number[] => {
    const layers: string[] = [];
    for (let at: Element | null = element; at !== null; at = at.parentElement) {
      layers.push(getComputedStyle(at).backgroundColor);
    }
    return layers.reduceRight<number[]>((behind, color) => over(color, behind), [255, 255, 255]);
  };
  const luminance = (rgb: readonly number[]): number => {
    const [r = 0, g = 0, b = 0] = rgb.map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const failures = new Set<string>();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const element = node.parentElement;
    const text = node.textContent?.trim() ?? "";
    if (element === null || text === "" || element.closest("script, noscript, .unseen, title") !== null) continue;
    if (!element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const behind = backgroundOf(element);
    const color = element instanceof SVGElement ? style.fill : style.color;
    const [a, b] = [luminance(over(color, behind)), luminance(behind)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const size = Number.parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (isLarge ? 3 : 4.5)) failures.add(`${ratio.toFixed(2)} ${element.className} “${text.slice(0, 30)}”`);
  }
  return [...failures];
}

/** Controls and landmarks without a name, and references that lead nowhere. */
export function namelessControls(): string[] {
  const failures: string[] = [];
  const nameOf = (element: Element): string => {
    const labelledBy = (element.getAttribute("aria-labelledby") ?? "").split(" ").filter((id) => id !== "");
    const byId = labelledBy.map((id) => document.getElementById(id)?.textContent ?? "").join(" ");
    const labels = element instanceof HTMLInputElement ? [...(element.labels ?? [])] : [];
    const label = labels.map((one) => one.textContent ?? "").join(" ");
    return [byId, element.getAttribute("aria-label") ?? "", label, element.textContent ?? ""].join(" ").trim();
  };
  const needName =
    "button, a, input, select, [role=slider], [role=tab], [role=tabpanel], [role=img], nav, dialog, [tabindex]";
  for (const element of document.querySelectorAll(needName)) {
    if (nameOf(element) === "") failures.push(`no name: ${element.outerHTML.slice(0, 80)}`);
  }
  for (const element of document.querySelectorAll("[aria-labelledby], [aria-controls]")) {
    for (const name of ["aria-labelledby", "aria-controls"]) {
      const id = element.getAttribute(name);
      if (id !== null && document.getElementById(id) === null) failures.push(`${name} leads nowhere: ${id}`);
    }
  }
  const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
  for (const id of new Set(ids.filter((one, i) => ids.indexOf(one) !== i)))
    failures.push(`two elements have the id ${id}`);
  return failures;
}
