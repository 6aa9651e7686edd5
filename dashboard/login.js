// Owns the login page: exchanges a token for a session, then loads the page that was requested.

import { logIn, session } from './api.js';
import { element, setAttribute } from './dom.js';
import { icon } from './icons.js';
import { home } from './servers.js';
import './panels/theme.js';

const form = document.getElementById('login');
const field = document.getElementById('token');
const problem = document.getElementById('problem');
const button = form.querySelector('button');

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  setAttribute(button, 'disabled', true);
  showProblem('');
  try {
    await logIn(field.value.trim());
    proceed();
  } catch (error) {
    showProblem(error.message);
    field.select();
    field.focus();
    setAttribute(button, 'disabled', false);
  }
});

/*
 * After a link from another site, the browser does not send the session's cookie (SameSite=Strict), so the server shows
 * this page although there may be a session. A request from this page does send the cookie. This is tried once only, so
 * that a browser that never sends the cookie does not reload for ever.
 */
const { scope } = await session().catch(() => ({}));
if (scope && !tried()) proceed();

function proceed() {
  if (location.pathname === new URL('login', home).pathname) location.replace(home);
  else location.reload();
}

function showProblem(text) {
  setAttribute(field, 'aria-invalid', text !== '' && 'true');
  problem.replaceChildren();
  if (text) problem.append(icon('alert'), element('span', {}, `${text[0].toUpperCase()}${text.slice(1)}`));
}

/** Whether this was tried in the last 5 s. */
function tried() {
  try {
    const before = Number(sessionStorage.getItem('went-on'));
    sessionStorage.setItem('went-on', Date.now());
    return Date.now() - before < 5000;
  } catch {
    // Storage is not allowed. One more log-in is better than an endless reload.
    return true;
  }
}
