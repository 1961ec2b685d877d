// Theme, copying the verdict, keys, and a sheet that lists them.
import { byId, html } from "../draw/svg";
import type { Range } from "../model/range";

const KEYS: [string, string][] = [
  ["n p", "next, previous finding"],
  ["+ - 0", "zoom in, out, whole run"],
  ["← →", "earlier, later"],
  ["drag", "show that part of the run"],
  ["t", "light, dark, as the system"],
  ["c", "copy the verdict as Markdown"],
  ["? Esc", "this sheet, close it"],
];

function nextTheme(): void {
  const order = ["", "light", "dark"];
  const root = document.documentElement;
  const next = order[(order.indexOf(root.dataset.theme ?? "") + 1) % order.length]!;
  if (next) {
    root.dataset.theme = next;
  } else {
    delete root.dataset.theme;
  }
  document.dispatchEvent(new Event("themechange"));
}

async function copy(text: string, button: HTMLElement): Promise<void> {
  const said = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Not allowed here";
  }
  setTimeout(() => (button.textContent = said), 1500);
}

function sheet(): HTMLDialogElement {
  const list = html("dl", { class: "keys" });
  for (const [key, does] of KEYS) {
    list.append(html("dt", {}, html("kbd", {}, key)), html("dd", {}, does));
  }
  const dialog = html("dialog", { "aria-label": "Keys" }, html("h2", {}, "Keys"), list) as HTMLDialogElement;
  dialog.addEventListener("click", () => dialog.close());
  document.body.append(dialog);
  return dialog;
}

function moveFinding(by: number): void {
  const all = [...document.querySelectorAll<HTMLElement>(".finding")].filter((finding) => !finding.closest("details:not([open])"));
  const now = all.indexOf(document.activeElement as HTMLElement);
  const next = all[now < 0 ? (by > 0 ? 0 : all.length - 1) : (now + by + all.length) % all.length];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

export function tools(markdown: string, range: Range | null): void {
  const dialog = sheet();
  const button = (label: string, does: (self: HTMLElement) => void): HTMLElement => {
    const made = html("button", { type: "button" }, label);
    made.addEventListener("click", () => does(made));
    return made;
  };
  const copier = button("Copy as Markdown", (self) => void copy(markdown, self));
  byId("tools").replaceChildren(
    copier,
    button("Theme", nextTheme),
    button("Keys", () => dialog.showModal()),
  );
  const does: Record<string, () => void> = {
    n: () => moveFinding(1),
    p: () => moveFinding(-1),
    t: nextTheme,
    c: () => void copy(markdown, copier),
    "?": () => (dialog.open ? dialog.close() : dialog.showModal()),
    "+": () => range?.zoom(0.5),
    "=": () => range?.zoom(0.5),
    "-": () => range?.zoom(2),
    "0": () => range?.reset(),
    ArrowLeft: () => range?.pan(-0.2),
    ArrowRight: () => range?.pan(0.2),
  };
  document.addEventListener("keydown", (event) => {
    const act = does[event.key];
    const typing = event.target instanceof HTMLInputElement;
    if (act && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      act();
    }
  });
}
