// Elements, made from data as text. Nothing here or elsewhere reads markup from a string: what a
// registry, a log or a caller is called stays text, whatever it looks like.

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element. Attributes that begin with `on` are listeners; false and null are left out. */
export function h(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** An SVG element. */
export function s(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

let last = 0;
/** An id that nothing else has. */
export function id(word) {
  last += 1;
  return `${word}-${last}`;
}

/** Puts other children in, and keeps the focus on what has the same `data-focus` there. */
export function replace(parent, ...children) {
  const held = parent.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
  parent.replaceChildren(...children.flat(Infinity).filter(Boolean));
  if (!held) return;
  for (const one of parent.querySelectorAll("[data-focus]")) {
    if (one.dataset.focus === held) one.focus({ preventScroll: true });
  }
}
