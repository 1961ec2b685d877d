// The page is complete without this script; it adds the pictures over time and the keys.
import { read } from "./data/report";
import { seconds } from "./draw/format";
import { byId, html } from "./draw/svg";
import { Range } from "./model/range";
import { span } from "./model/span";
import { counters } from "./view/counters";
import { lanes } from "./view/lanes";
import { links } from "./view/links";
import { steps } from "./view/steps";
import { tools } from "./view/tools";

function showRange(range: Range): void {
  const reset = html("button", { type: "button" }, "Whole run");
  const said = html("span", {});
  reset.addEventListener("click", () => range.reset());
  byId("range").replaceChildren(said, reset);
  const say = (): void => {
    said.textContent = range.isWhole ? "The whole run. Drag in a picture to look closer." : `${seconds(range.begin)} to ${seconds(range.end)}`;
    reset.hidden = range.isWhole;
  };
  range.listen(say);
  say();
}

function start(): void {
  const data = read(byId("data").textContent ?? "");
  const bounds = span(data);
  const range = bounds ? new Range(...bounds) : null;
  if (range) {
    byId("time").hidden = false;
    showRange(range);
    steps(byId("steps"), data.steps, range);
    lanes(byId("lanes"), data, range);
    counters(byId("counters"), data.report.metrics, range);
    addEventListener("resize", () => range.set(range.begin, range.end));
    addEventListener("beforeprint", () => range.reset());
  }
  tools(data.markdown, range);
  links();
}

start();
