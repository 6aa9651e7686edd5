// Numbered messages over Node's ws. The argument names a fault.
const { WebSocketServer } = require("ws");
const fault = process.argv[2];
const began = new Date().toISOString();
const server = new WebSocketServer({ host: "127.0.0.1", port: 0 }, () => console.log(server.address().port));
server.on("connection", (socket) => {
  for (let n = 1; n <= 8; n++) {
    if (fault === "gap" && n === 4) continue;
    const text = JSON.stringify({ type: "tick", sequence: n, timestamp: began, data: {} });
    socket.send(fault === "text" && n === 4 ? "tick 4" : text);
    if (fault === "twice" && n === 4) socket.send(text);
  }
  if (fault === "close") setTimeout(() => socket.close(1011, "broken"), 100);
});
