// Every picture has a table that says the same, for screen readers, for copying, and for those who prefer numbers.
import { html } from "../draw/svg";

export function twin(caption: string, head: string[], rows: () => string[][]): HTMLElement {
  const details = html("details", { class: "twin" }, html("summary", {}, "As a table"));
  details.addEventListener("toggle", () => {
    if ((details as HTMLDetailsElement).open && details.childElementCount === 1) {
      details.append(table(caption, head, rows()));
    }
  });
  return details;
}

function table(caption: string, head: string[], rows: string[][]): HTMLElement {
  const top = html("tr", {}, ...head.map((name, i) => html("th", { scope: "col", class: i ? "n" : "" }, name)));
  const body = html("tbody", {});
  for (const row of rows) {
    body.append(html("tr", {}, ...row.map((cell, i) => (i ? html("td", { class: "n" }, cell) : html("th", { scope: "row" }, cell)))));
  }
  return html("div", { class: "scroll" }, html("table", {}, html("caption", {}, caption), html("thead", {}, top), body));
}

// Evenly spaced indices, at most `most`: a table is read, not scrolled through.
export function thinned(count: number, most = 60): number[] {
  const step = Math.max(1, Math.ceil(count / most));
  return Array.from({ length: Math.ceil(count / step) }, (_, i) => i * step);
}
