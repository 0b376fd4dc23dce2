// The phone's front camera. Every way in which it can be missing has a name and a remedy in words.js.

const WANTED = {
  video: { facingMode: "user", width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 20, max: 30 } },
  audio: false,
};

const TROUBLES = {
  NotAllowedError: "trouble.camera_denied",
  SecurityError: "trouble.camera_denied",
  NotFoundError: "trouble.camera_missing",
  OverconstrainedError: "trouble.camera_missing",
  NotReadableError: "trouble.camera_busy",
  AbortError: "trouble.camera_busy",
};

/** What keeps the camera away; `message` is a key of words.js. */
export class CameraTrouble extends Error {}

export async function openCamera() {
  if (!window.isSecureContext) throw new CameraTrouble("trouble.insecure");
  if (!navigator.mediaDevices?.getUserMedia || !window.RTCPeerConnection) throw new CameraTrouble("trouble.browser");
  try {
    return await navigator.mediaDevices.getUserMedia(WANTED);
  } catch (error) {
    throw new CameraTrouble(TROUBLES[error.name] ?? "trouble.camera_busy");
  }
}

export function closeCamera(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

/** Shows the camera and waits until it gives pictures: the first offer must not come from a dark camera. */
export async function show(video, stream) {
  video.srcObject = stream;
  await video.play().catch(() => {});
  if (video.videoWidth > 0) return;
  await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new CameraTrouble("trouble.camera_busy")), 10_000);
    video.addEventListener("loadeddata", () => { clearTimeout(late); resolve(); }, { once: true });
  });
}
