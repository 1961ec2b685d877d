// A finding points at what proves it: while it has the focus or the pointer, its stage is marked wherever it stands.
export function links(): void {
  for (const finding of document.querySelectorAll<HTMLElement>(".finding[data-stage]")) {
    const stage = finding.dataset.stage;
    if (!stage) {
      continue;
    }
    const mark = (on: boolean): void => {
      for (const element of document.querySelectorAll(`[id="pipe-${stage}"],[id="stage-${stage}"]`)) {
        element.classList.toggle("meant", on);
      }
    };
    finding.addEventListener("pointerenter", () => mark(true));
    finding.addEventListener("pointerleave", () => mark(false));
    finding.addEventListener("focusin", () => mark(true));
    finding.addEventListener("focusout", () => mark(false));
  }
}
