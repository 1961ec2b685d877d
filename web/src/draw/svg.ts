// Small words for making elements.
const SVG = "http://www.w3.org/2000/svg";
type Attributes = Record<string, string | number>;

function set<E extends Element>(element: E, attributes: Attributes, children: (Node | string)[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, String(value));
  }
  element.append(...children);
  return element;
}

export function svg(name: string, attributes: Attributes = {}, ...children: (Node | string)[]): SVGElement {
  return set(document.createElementNS(SVG, name) as SVGElement, attributes, children);
}

export function html(name: string, attributes: Attributes = {}, ...children: (Node | string)[]): HTMLElement {
  return set(document.createElement(name), attributes, children);
}

export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) {
    throw new Error(`the page has no #${id}`);
  }
  return found;
}

// A path along points, broken where a value is missing.
export function line(points: [number, number | null][]): string {
  let path = "";
  let pen = false;
  for (const [x, y] of points) {
    if (y === null || !isFinite(y)) {
      pen = false;
      continue;
    }
    path += `${pen ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
    pen = true;
  }
  return path;
}

// The area between two levels that hold from one edge to the next: what lasted long is wide, nothing is drawn between.
export function area(edges: number[], low: number[], high: number[]): string {
  if (!low.length) {
    return "";
  }
  const along = (levels: number[]): string[] =>
    levels.flatMap((y, i) => [`${edges[i]!.toFixed(1)} ${y.toFixed(1)}`, `${edges[i + 1]!.toFixed(1)} ${y.toFixed(1)}`]);
  return `M${along(high).join("L")}L${along(low).reverse().join("L")}Z`;
}
