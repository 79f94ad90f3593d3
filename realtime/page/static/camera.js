// The visitor's camera: asking for it, choosing it by name, and saying in plain words why it cannot be had.

export class CameraError extends Error {
  constructor(title, text) {
    super(text);
    this.title = title;
  }
}

/** Opens a camera. `size` is "640x480", `id` a device's id or "". Throws CameraError. */
export async function openCamera(id, size) {
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new CameraError("This address cannot use a camera",
      "Browsers give a camera only to pages over https or on localhost. Ask whoever runs the server for an https address, or open it through a tunnel.");
  }
  const [width, height] = size.split("x").map(Number);
  const video = { width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: 30 } };
  if (id) video.deviceId = { exact: id };
  else video.facingMode = "user";
  try {
    return await navigator.mediaDevices.getUserMedia({ video, audio: false });
  } catch (why) {
    throw explained(why);
  }
}

/** [{id, name}] of all cameras; names are known only after permission was given. */
export async function listCameras() {
  const devices = await (navigator.mediaDevices?.enumerateDevices?.() ?? []);
  return devices.filter((device) => device.kind === "videoinput")
    .map((device, index) => ({ id: device.deviceId, name: device.label || `Camera ${index + 1}` }));
}

function explained(why) {
  switch (why.name) {
    case "NotAllowedError":
    case "SecurityError":
      return new CameraError("The camera is not allowed",
        "Allow the camera for this page (the camera or lock symbol beside the address), then press Start again. Your system's privacy settings may block it, too.");
    case "NotFoundError":
      return new CameraError("No camera found", "Plug one in or switch it on, then press Start again.");
    case "NotReadableError":
    case "AbortError":
      return new CameraError("The camera is busy", "Another program seems to use it. Close that program, then press Start again.");
    case "OverconstrainedError":
      return new CameraError("That camera is gone", "Choose another camera, then press Start again.");
    default:
      return new CameraError("The camera did not start", `${why.name}: ${why.message}`);
  }
}
