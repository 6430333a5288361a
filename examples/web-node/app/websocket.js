// The server's side of RFC 6455, as far as an echo needs it: frames up to 64 KiB, each echoed as it came, fragments too.
import { createHash } from "node:crypto";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const MOST_BYTES = 65_536;
const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };
const CLOSE = { goingAway: 1001, protocolError: 1002, tooBig: 1009 };
const CONTROL_BYTES = 125;
/** How long a client may take to answer our close, in milliseconds. */
const CLOSE_MS = 2_000;

/** Sockets that are open, to be closed when the app stops. */
const open = new Set();

/** Answers the handshake (4.2) and echoes what comes; `headers` go into the answer. */
export function echo(request, socket, head, headers) {
  socket.on("error", () => socket.destroy());
  const key = request.headers["sec-websocket-key"] ?? "";
  const isWebSocket = request.method === "GET" && request.headers.upgrade?.toLowerCase() === "websocket";
  if (!isWebSocket || Buffer.from(key, "base64").length !== 16) return refuse(socket, "400 Bad Request");
  if (request.headers["sec-websocket-version"] !== "13")
    return refuse(socket, "426 Upgrade Required\r\nSec-WebSocket-Version: 13");
  const fields = {
    upgrade: "websocket",
    connection: "Upgrade",
    "sec-websocket-accept": createHash("sha1").update(`${key}${GUID}`).digest("base64"),
    ...headers,
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join("")}\r\n`);
  socket.setNoDelay(true);
  const connection = { socket, isClosing: false };
  open.add(connection);
  socket.on("close", () => open.delete(connection));
  socket.on("end", () => socket.end());
  let rest = head;
  const take = (bytes) => {
    rest = takeFrames(connection, Buffer.concat([rest, bytes]));
  };
  take(Buffer.alloc(0));
  socket.on("data", take);
}

/** Says to all that the app goes away; their clients answer that and connect anew. */
export function closeAll() {
  for (const connection of open) close(connection, CLOSE.goingAway);
}

function refuse(socket, status) {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

/** Handles the frames that are whole, and returns the bytes of the one that is not. */
function takeFrames(connection, bytes) {
  let at = 0;
  for (;;) {
    const frame = readFrame(bytes, at);
    if (frame === null) return bytes.subarray(at);
    if (frame.fault !== undefined) {
      close(connection, frame.fault);
      return Buffer.alloc(0);
    }
    at = frame.end;
    handle(connection, frame);
  }
}

/** 5.2; null: not whole yet. A `fault` is the code to close with. */
function readFrame(bytes, at) {
  if (bytes.length < at + 2) return null;
  const opcode = bytes[at] & 0x0f;
  const isControl = opcode >= OPCODE.close;
  const short = bytes[at + 1] & 0x7f;
  // Reserved bits and opcodes, frames of a client without a mask, control frames that are long or in parts.
  const isKnown = Object.values(OPCODE).includes(opcode) && (bytes[at] & 0x70) === 0;
  if (!isKnown || (bytes[at + 1] & 0x80) === 0) return { fault: CLOSE.protocolError };
  if (isControl && (short > CONTROL_BYTES || (bytes[at] & 0x80) === 0)) return { fault: CLOSE.protocolError };
  const start = at + 2 + (short === 126 ? 2 : short === 127 ? 8 : 0);
  if (bytes.length < start) return null;
  const length = short === 126 ? bytes.readUInt16BE(at + 2) : short === 127 ? bytes.readBigUInt64BE(at + 2) : short;
  if (length > MOST_BYTES) return { fault: CLOSE.tooBig };
  const end = start + 4 + Number(length);
  if (bytes.length < end) return null;
  const mask = bytes.subarray(start, start + 4);
  const payload = Buffer.from(bytes.subarray(start + 4, end));
  for (let i = 0; i < payload.length; i += 1) payload[i] ^= mask[i & 3];
  return { first: bytes[at], opcode, payload, end };
}

function handle(connection, { first, opcode, payload }) {
  const { socket } = connection;
  if (opcode === OPCODE.close) {
    // Its own code comes back, unless this is the answer to ours; then the server is who ends the connection (7.1.1).
    if (!connection.isClosing) socket.write(frameOf(0x80 | OPCODE.close, payload.subarray(0, 2)));
    connection.isClosing = true;
    socket.end();
  } else if (connection.isClosing || opcode === OPCODE.pong) return;
  else socket.write(frameOf(opcode === OPCODE.ping ? 0x80 | OPCODE.pong : first, payload));
}

function close(connection, code) {
  if (connection.isClosing) return;
  connection.isClosing = true;
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code);
  connection.socket.write(frameOf(0x80 | OPCODE.close, payload));
  const force = setTimeout(() => connection.socket.destroy(), CLOSE_MS);
  connection.socket.on("close", () => clearTimeout(force));
}

/** A frame of a server: without a mask. */
function frameOf(first, payload) {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = first;
  if (length < 126) head[1] = length;
  else if (length < 65_536) {
    head[1] = 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, payload]);
}
