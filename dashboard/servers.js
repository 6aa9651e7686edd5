// Owns which servers have the stream, and which of them the page is with: it begins with the one it came from, and goes on with the
// next one when that is away.

/** Where the page came from: this file's own place, which may be below a prefix of a proxy's. */
export const home = new URL('.', import.meta.url);

/** All of them, the one in use first. */
let servers = [home];

/** The one that the page is with. @returns {URL} */
export function server() {
  return servers[0];
}

/** How many there are. */
export function howMany() {
  return servers.length;
}

/** Goes on to the next one. */
export function goOn() {
  servers = [...servers.slice(1), servers[0]];
}

/**
 * Learns the addresses of all servers from the one in use.
 * @param {unknown} addresses
 */
export function learn(addresses) {
  const urls = (Array.isArray(addresses) ? addresses : []).filter((one) => URL.canParse(one)).map((one) => new URL(one));
  const [current] = servers;
  // All pages go round in the same order, from the server in use.
  const place = urls.findIndex(({ href }) => href === current.href);
  servers = [current];
  for (const url of [...urls.slice(place + 1), ...urls.slice(0, Math.max(place, 0)), home]) {
    // A browser lets a page that came encrypted connect only encrypted.
    const usable = url.protocol === 'https:' || (url.protocol === 'http:' && home.protocol === 'http:');
    if (usable && !servers.some(({ href }) => href === url.href)) servers.push(url);
  }
}
