// One box that follows the pointer and says what is under it.
import { byId, html } from "../draw/svg";

export function show(event: PointerEvent, title: string, rows: [string, string][]): void {
  const tip = byId("tip");
  const list = html("dl");
  for (const [name, value] of rows) {
    list.append(html("dt", {}, name), html("dd", {}, value));
  }
  tip.replaceChildren(html("strong", {}, title), list);
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  const x = event.clientX + 14 + box.width > innerWidth ? event.clientX - box.width - 14 : event.clientX + 14;
  const y = Math.min(event.clientY + 14, innerHeight - box.height - 8);
  tip.style.transform = `translate(${Math.max(4, x)}px, ${Math.max(4, y)}px)`;
}

export function hide(): void {
  byId("tip").hidden = true;
}
