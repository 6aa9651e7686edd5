// Publishes a real incident as an agent would:
//   node publish.mjs http://127.0.0.1:7911 login-9
// Needs no package: a CloudEvent in structured JSON is an object. INCIDENT_TOKEN may have a token. The events go as batches; each
// keeps its id until the server has answered, so that a batch which is sent again, or a program which is started again with the
// same third argument (when it began, in seconds since 1970), stores nothing twice.

const TRIES = 60;

/** Returns once all events are durable: their places, and whether each was there before. */
async function send(url, events) {
  const headers = { 'Content-Type': 'application/cloudevents-batch+json' };
  if (process.env.INCIDENT_TOKEN) headers.Authorization = `Bearer ${process.env.INCIDENT_TOKEN}`;
  const body = JSON.stringify(events);
  for (let tries = 0; tries < TRIES; tries += 1) {
    let why;
    let seconds = 0.2;
    try {
      const response = await fetch(`${url}/api/events`, {
        method: 'POST', headers, body, signal: AbortSignal.timeout(30_000),
      });
      const answer = await response.json();
      if (response.ok) return answer.results;
      if (![408, 429].includes(response.status) && response.status < 500) {
        throw Object.assign(new Error(`${answer.type}: ${answer.detail}`), { refused: true });
      }
      why = `HTTP ${response.status}`;
      seconds = Number(response.headers.get('Retry-After') ?? 1);
    } catch (error) {
      if (error.refused) throw error;
      // Whether the events were stored is unknown: the same ids make it safe to send them again.
      why = error.cause?.message ?? error.message;
    }
    console.error(shown(`${why}; trying again`));
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  }
  throw new Error('the server does not answer');
}

/** The events of an incident, in batches. The same subject and time give the same events under the same ids. */
function incident(subject, since) {
  let number = 0;
  const event = (type, data) => {
    number += 1;
    const time = new Date((since + number) * 1000).toISOString();
    return {
      specversion: '1.0', id: `${subject}-${number}`, source: '/agents/example-node', type, subject, time, data,
    };
  };
  const action = (what, summary, more = {}) => event('agent_action', {
    agent: 'example-node', action: what, status: 'completed', summary, ...more,
  });
  return [
    [
      event('incident_started', { title: 'Logins fail', severity: 'SEV2', services: ['login'] }),
      action('looked', 'Errors rise since release 88', { marks: ['detected'] }),
      event('system_metrics', { metrics: { error_rate: 0.31 }, users_affected: 1200 }),
    ],
    [action('rolled_back', 'Rolled back release 88', { marks: ['mitigated'] })],
    [
      event('system_metrics', { metrics: { error_rate: 0.001 }, users_affected: 0 }),
      event('incident_resolved', { outcome: 'resolved', summary: 'Release 88 was rolled back' }),
    ],
  ];
}

/** What a server says, without what a terminal would obey. */
function shown(text) {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);
}

const now = Math.floor(Date.now() / 1000);
const [url = 'http://127.0.0.1:7911', subject = `login-${now}`, since = now - 60] = process.argv.slice(2);
try {
  for (const events of incident(subject, Number(since))) {
    const places = await send(url.replace(/\/$/, ''), events);
    places.forEach(({ position, index, duplicate }, place) => {
      console.log(`${position} ${index} ${events[place].type}${duplicate ? ' (a repeat)' : ''}`);
    });
  }
} catch (error) {
  console.error(shown(error.message));
  process.exitCode = 1;
}
