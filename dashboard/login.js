// Owns the login page: exchanges a token for a session and goes on to what was asked for, which this page stands in for.

import { logIn, session } from './api.js';
import { element, setAttribute } from './dom.js';
import { icon } from './icons.js';
import './panels/theme.js';

const form = document.getElementById('login');
const field = document.getElementById('token');
const problem = document.getElementById('problem');
const button = form.querySelector('button');

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  setAttribute(button, 'disabled', true);
  tell('');
  try {
    await logIn(field.value.trim());
    goOn();
  } catch (error) {
    tell(error.message);
    field.select();
    field.focus();
    setAttribute(button, 'disabled', false);
  }
});

/*
 * Who came by a link from elsewhere may be logged in all the same: browsers keep the cookie from that step, and not from
 * one that this page takes. Once only: a browser that never sends it would go round for ever.
 */
const { scope } = await session().catch(() => ({}));
if (scope && !tried()) goOn();

function goOn() {
  if (location.pathname === '/login') location.replace('/');
  else location.reload();
}

function tell(text) {
  setAttribute(field, 'aria-invalid', text !== '' && 'true');
  problem.replaceChildren();
  if (text) problem.append(icon('alert'), element('span', {}, `${text[0].toUpperCase()}${text.slice(1)}`));
}

/** Whether this was tried a moment ago. */
function tried() {
  try {
    const before = Number(sessionStorage.getItem('went-on'));
    sessionStorage.setItem('went-on', Date.now());
    return Date.now() - before < 5000;
  } catch {
    // Storage is forbidden: rather log in once more than go round.
    return true;
  }
}
