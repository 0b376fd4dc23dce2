// One connection: camera out, guidance in. It is never repaired: a lost one means a new check with a new challenge.

const GATHER_MS = 3_000;
const CONNECT_MS = 20_000;
const PING_MS = 5_000;

/**
 * Connects `stream` to a check. `exchange(sdp)` carries the offer to the server and gives its answer;
 * `heard(message)` gets every message; `lost()` is called once if the connection ends without a result.
 */
export class Call {
  #connection;
  #channel;
  #timers = [];
  #over = false;
  #lost;

  constructor(stream, iceServers, heard, lost) {
    this.#lost = lost;
    this.#connection = new RTCPeerConnection({ iceServers, bundlePolicy: "max-bundle" });
    const track = stream.getVideoTracks()[0];
    track.contentHint = "detail";
    track.addEventListener("ended", () => this.#end());
    const sending = this.#connection.addTransceiver(track, { direction: "sendonly", streams: [stream] });
    preferVp8(sending);
    this.#channel = this.#connection.createDataChannel("guidance", { ordered: true });
    this.#channel.addEventListener("open", () => this.#say({ type: "ready" }));
    this.#channel.addEventListener("close", () => this.#end());
    this.#channel.addEventListener("message", (event) => {
      const message = parsed(event.data);
      if (!message || this.#over) return;
      if (message.type === "result") this.#over = true;
      heard(message);
    });
    this.#connection.addEventListener("connectionstatechange", () => {
      if (["failed", "closed"].includes(this.#connection.connectionState)) this.#end();
    });
  }

  async connect(exchange) {
    await this.#connection.setLocalDescription();
    await gathered(this.#connection);
    const answer = await exchange(this.#connection.localDescription.sdp);
    await this.#connection.setRemoteDescription(answer);
    this.#timers.push(setTimeout(() => {
      if (this.#channel.readyState !== "open") this.#end();
    }, CONNECT_MS));
    this.#timers.push(setInterval(() => this.#say({ type: "ping", t: Math.round(performance.now()) }), PING_MS));
  }

  cancel() {
    this.#over = true;
    this.#say({ type: "cancel" });
    setTimeout(() => this.close(), 200);
  }

  close() {
    this.#over = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#channel.close();
    this.#connection.close();
  }

  #say(message) {
    if (this.#channel.readyState === "open") this.#channel.send(JSON.stringify(message));
  }

  #end() {
    if (this.#over) return;
    this.close();
    this.#lost();
  }
}

function preferVp8(transceiver) {
  const codecs = RTCRtpReceiver.getCapabilities?.("video")?.codecs ?? [];
  const vp8 = codecs.filter((codec) => codec.mimeType === "video/VP8");
  const others = codecs.filter((codec) => codec.mimeType !== "video/VP8");
  if (vp8.length) transceiver.setCodecPreferences?.([...vp8, ...others]);
}

/** Complete with candidates: the answer may come from a process that hears nothing later. */
function gathered(connection) {
  if (connection.iceGatheringState === "complete") return Promise.resolve();
  return new Promise((resolve) => {
    const late = setTimeout(resolve, GATHER_MS);
    connection.addEventListener("icegatheringstatechange", () => {
      if (connection.iceGatheringState !== "complete") return;
      clearTimeout(late);
      resolve();
    });
  });
}

function parsed(data) {
  try {
    return JSON.parse(data);
  } catch {
    return null;
  }
}
