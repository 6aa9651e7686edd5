// Follows a stream as Server-Sent Events and resumes after a lost connection:
//   node follow.mjs http://127.0.0.1:7911/events
// Needs no package. A browser has all of this built in, as `new EventSource('/events')`.

async function* follow(url, after) {
  for (;;) {
    try {
      const response = await fetch(url, { headers: after ? { 'Last-Event-ID': after } : {} });
      if (!response.ok) throw new Error(`HTTP ${response.status}: ${await response.text()}`);
      let text = '';
      for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
        const blocks = (text + piece).split('\n\n');
        text = blocks.pop(); // The last block is not complete yet.
        for (const block of blocks) {
          const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s, 2)));
          after = fields.id ?? after;
          const event = fields.data && JSON.parse(fields.data);
          if (event?.source.startsWith('/streams/')) yield { event, position: after };
        }
      }
      throw new Error('the stream has ended');
    } catch (error) {
      console.error(shown(`${error.message}; trying again`));
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** What a server says, without what a terminal would obey. */
function shown(text) {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);
}

const [url = 'http://127.0.0.1:7911/events', after] = process.argv.slice(2);
for await (const { event, position } of follow(url, after)) {
  console.log(...[position, event.subject, event.type].map(shown));
  if (event.type === 'incident_resolved') break;
}
process.exit(0);
