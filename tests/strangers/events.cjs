// An event stream on Node's http. The argument names a fault.
const http = require("http");
const fault = process.argv[2];
const server = http.createServer((request, response) => {
  const after = fault === "forget" ? 0 : Number(request.headers["last-event-id"] || 0);
  response.writeHead(200, { "Content-Type": fault === "type" ? "text/plain" : "text/event-stream" });
  for (let n = after + 1; n <= 8; n++) {
    const block = `id: ${n}\nevent: tick\ndata: ${n}\n\n`;
    response.write(fault === "twice" && n === 4 ? block + block : block);
  }
  if (fault === "close") setTimeout(() => response.end(), 200);
  const alive = setInterval(() => response.write(": alive\n\n"), 200);
  response.on("close", () => clearInterval(alive));
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
