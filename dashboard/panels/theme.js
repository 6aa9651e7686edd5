// Owns the theme: system, light or dark. A choice made here is remembered.

import { element, setAttribute, setText } from '../dom.js';
import { icon } from '../icons.js';

class ThemeToggle extends HTMLElement {
  connectedCallback() {
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const button = element(
      'button',
      { id: 'theme', type: 'button' },
      icon('theme'),
      element('span', { class: 'word' }),
    );
    const now = () => document.documentElement.dataset.theme ?? (dark.matches ? 'dark' : 'light');
    const label = () => {
      const other = now() === 'dark' ? 'light' : 'dark';
      setText(button.lastElementChild, other === 'dark' ? 'Dark' : 'Light');
      setAttribute(button, 'title', `Switch to ${other} colours`);
      setAttribute(button, 'aria-label', `Switch to ${other} colours`);
    };
    // A link can ask for a theme, for this page only.
    setTheme(new URLSearchParams(location.search).get('theme') ?? remembered());
    label();
    button.addEventListener('click', () => {
      const other = now() === 'dark' ? 'light' : 'dark';
      // The system's theme is not remembered, so that the page follows the system again.
      setTheme(other === (dark.matches ? 'dark' : 'light') ? null : other);
      remember(document.documentElement.dataset.theme ?? null);
      label();
    });
    dark.addEventListener('change', label);
    this.append(button);
  }
}

function setTheme(theme) {
  setAttribute(document.documentElement, 'data-theme', theme === 'dark' || theme === 'light' ? theme : null);
}

function remembered() {
  try {
    return localStorage.getItem('theme');
  } catch {
    return null;
  }
}

function remember(theme) {
  try {
    if (theme === null) localStorage.removeItem('theme');
    else localStorage.setItem('theme', theme);
  } catch {
    // Storage is not allowed, so the choice lasts as long as the page.
  }
}

customElements.define('theme-toggle', ThemeToggle);
