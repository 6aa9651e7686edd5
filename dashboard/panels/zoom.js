// Owns how a person chooses the range of time that the charts show: by dragging over one, and with the buttons above them.

import { element, setAttribute, setProperty, setText } from '../dom.js';
import { duration, stamp } from '../format.js';
import { place } from '../scale.js';
import { chartScale, choose, isZoomed, showAll } from '../zoom.js';

/** A press that moves less than this is a click. */
const LEAST_PX = 6;

class ZoomBar extends HTMLElement {
  connectedCallback() {
    this.text = element('span', { class: 'digits', role: 'status' });
    const less = button('−', 'Charts: show more time (o)', () => send(0.5));
    const more = button('+', 'Charts: show less time, in more detail (z)', () => send(2));
    this.all = button('Show all', 'Charts: show the whole incident (Esc)', showAll);
    this.append(this.text, less, more, this.all);
  }

  /** @param {import('../model.js').View} view */
  update(view) {
    const scale = chartScale(view);
    const [from, to] = [scale.offset(0), scale.offset(1)];
    const { hours } = view;
    setText(this.text, scale.zoomed ? `Charts: ${stamp(from, hours)} to ${stamp(to, hours)}, ${duration(Math.round(to - from)).replace('.0', '')}` : 'Charts: all');
    setAttribute(this.all, 'disabled', !scale.zoomed);
  }
}

function button(text, title, run) {
  const node = element('button', { type: 'button', class: 'quiet-button', title, 'aria-label': title }, text);
  node.addEventListener('click', run);
  return node;
}

function send(times) {
  dispatchEvent(new CustomEvent('zoom-by', { detail: times }));
}

/**
 * Lets a person choose a range with the mouse or a pen. A finger scrolls the page, and has the buttons.
 * @param {HTMLElement} host of one chart or several
 * @param {(event: PointerEvent) => Element | null | undefined} plotOf the drawing on which a press begins
 * @param {() => import('../model.js').View | undefined} viewOf
 * @param {(parts: [number, number] | null) => void} [dragged] while it is chosen
 */
export function dragToZoom(host, plotOf, viewOf, dragged = () => {}) {
  let press = null;
  const partAt = ({ clientX }) => {
    const { left, width } = press.plot.getBoundingClientRect();
    return Math.min(1, Math.max(0, (clientX - left) / width));
  };
  const far = ({ clientX }) => Math.abs(clientX - press.x) >= LEAST_PX;
  const end = () => {
    if (press) removeEventListener('keydown', escape, true);
    press = null;
    setAttribute(host, 'data-dragging', null);
    dragged(null);
  };
  const escape = (event) => {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    event.stopPropagation();
    end();
  };
  host.addEventListener('pointerdown', (event) => {
    const plot = event.button === 0 && event.pointerType !== 'touch' ? plotOf(event) : null;
    if (!plot || !viewOf()) return;
    press = { plot, x: event.clientX };
    press.from = partAt(event);
    host.setPointerCapture(event.pointerId);
    addEventListener('keydown', escape, true);
  });
  host.addEventListener('pointermove', (event) => {
    if (!press) return;
    const parts = [press.from, partAt(event)].sort((one, other) => one - other);
    setAttribute(host, 'data-dragging', far(event));
    setProperty(host, '--a', place(parts[0]));
    setProperty(host, '--b', place(parts[1]));
    if (far(event)) dragged(parts);
  });
  host.addEventListener('pointerup', (event) => {
    if (!press) return;
    const parts = far(event) ? [press.from, partAt(event)] : null;
    end();
    if (parts) choose(viewOf(), ...parts);
  });
  host.addEventListener('pointercancel', end);
  host.addEventListener('dblclick', () => isZoomed() && showAll());
}

customElements.define('zoom-bar', ZoomBar);
