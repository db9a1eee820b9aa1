// A small plot as SVG, whose ink is the page's: lines, dots, and two axes.

const SVG = "http://www.w3.org/2000/svg";

function s(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A few round numbers between two; by powers of ten on a logarithmic axis. */
export function ticks(low, high, logarithmic = false, count = 5) {
  if (logarithmic) {
    const all = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
      for (const m of [1, 2, 5]) all.push(m * 10 ** power);
    }
    const inside = all.filter((x) => x >= low * 0.999 && x <= high * 1.001);
    return inside.length > count + 2 ? inside.filter((x) => Number.isInteger(Math.log10(x) + 1e-9) || /^1/.test(String(x))) : inside;
  }
  const raw = (high - low) / count, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((m) => m >= raw);
  return Array.from({length: Math.floor(high / step) - Math.ceil(low / step) + 1}, (_, i) =>
    Number(((Math.ceil(low / step) + i) * step).toPrecision(6)));
}

/**
 * A plot to be updated: `draw({lines, dots, marks})`.
 *
 * x, y: {low, high, label, log, shown}. lines: [{points: [[x, y], ...], colour, dash, width, label}].
 * dots: [{x, y, colour, size, label}]. marks: vertical lines [{x, label}].
 */
export class Plot {
  constructor({x, y, height = 220, alt = ""}) {
    Object.assign(this, {x, y, width: 640, height, left: 58, bottom: 44, top: 10, right: 14});
    this.element = s("svg", {viewBox: `0 0 ${this.width} ${height}`, role: "img", "aria-label": alt,
      style: "width: 100%; display: block; overflow: hidden; color: inherit; touch-action: pan-y"});
    // Letters keep their size on a phone: what shrinks is the room between them.
    new ResizeObserver(([{contentRect: {width}}]) => {
      const wanted = Math.min(640, Math.max(320, Math.round(width)));
      if (!width || wanted === this.width) return;
      this.width = wanted;
      this.element.setAttribute("viewBox", `0 0 ${wanted} ${this.height}`);
      if (this.drawn) this.draw(this.drawn);
    }).observe(this.element);
  }

  say(alt) { this.element.setAttribute("aria-label", alt); }

  place(axis, value) {
    const {low, high, log} = axis;
    return log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
  }

  px(value) { return this.left + this.place(this.x, value) * (this.width - this.left - this.right); }

  py(value) { return this.height - this.bottom - this.place(this.y, value) * (this.height - this.top - this.bottom); }

  /** The x and y that a pointer is at. */
  at(event) {
    const box = this.element.getBoundingClientRect();
    const inverse = (axis, part) => axis.log ? axis.low * (axis.high / axis.low) ** part : axis.low + part * (axis.high - axis.low);
    const px = ((event.clientX - box.left) / box.width) * this.width, py = ((event.clientY - box.top) / box.height) * this.height;
    return [inverse(this.x, (px - this.left) / (this.width - this.left - this.right)),
      inverse(this.y, (this.height - this.bottom - py) / (this.height - this.top - this.bottom))];
  }

  axes() {
    const {x, y, width, height, left, bottom, top, right} = this, ink = {stroke: "currentColor", "stroke-width": 1};
    const text = {fill: "currentColor", "font-size": 15, "font-family": "inherit"};
    const parts = [
      s("line", {x1: left, x2: width - right, y1: height - bottom, y2: height - bottom, ...ink}),
      s("line", {x1: left, x2: left, y1: top, y2: height - bottom, ...ink}),
      s("text", {x: (left + width - right) / 2, y: height - 6, "text-anchor": "middle", ...text}, x.label),
      s("text", {x: 15, y: (top + height - bottom) / 2, "text-anchor": "middle", ...text,
        transform: `rotate(-90 15 ${(top + height - bottom) / 2})`}, y.label),
    ];
    const words = (axis, value) => (axis.shown ?? ((v) => v >= 1000 && axis.log ? `${v / 1000}k` : String(v).replace("-", "−")))(value);
    for (const value of x.ticks ?? ticks(x.low, x.high, x.log, this.width < 450 ? 4 : 5)) {
      parts.push(s("text", {x: this.px(value), y: height - bottom + 18, "text-anchor": "middle", ...text}, words(x, value)));
    }
    for (const value of y.ticks ?? ticks(y.low, y.high, y.log, 4)) {
      const at = this.py(value);
      parts.push(s("line", {x1: left, x2: width - right, y1: at, y2: at, ...ink, opacity: 0.13}),
        s("text", {x: left - 7, y: at + 5, "text-anchor": "end", ...text}, words(y, value)));
    }
    return parts;
  }

  draw(drawn) {
    this.drawn = drawn;
    const {lines = [], dots = [], marks = []} = drawn;
    const parts = this.axes();
    const clip = (v) => Math.min(this.height + 999, Math.max(-999, v));
    for (const {x, label = ""} of marks) {
      parts.push(s("line", {x1: this.px(x), x2: this.px(x), y1: this.top, y2: this.height - this.bottom,
        stroke: "currentColor", "stroke-dasharray": "3 4"}),
        s("text", {x: this.px(x) + 5, y: this.top + 12, fill: "currentColor", "font-size": 14}, label));
    }
    for (const {points, colour = "currentColor", dash = "", width = 2} of lines) {
      parts.push(s("polyline", {points: points.map(([x, y]) => `${this.px(x).toFixed(1)},${clip(this.py(y)).toFixed(1)}`).join(" "),
        fill: "none", stroke: colour, "stroke-width": width, "stroke-dasharray": dash, "stroke-linejoin": "round"}));
    }
    for (const {x, y, colour = "currentColor", size = 5, label = ""} of dots) {
      parts.push(s("circle", {cx: this.px(x), cy: clip(this.py(y)), r: size, fill: colour}));
      if (label) parts.push(s("text", {x: this.px(x) + size + 4, y: clip(this.py(y)) + 5, fill: "currentColor", "font-size": 14}, label));
    }
    this.element.replaceChildren(...parts);
  }
}
