// Why a connection ended, in plain words, and when to try again (null: only when asked to).

const REASONS = {
  full: () => ({ title: "Every place is taken", text: "As many visitors as this server serves at a time are here already. The page tries again every five seconds and joins as soon as somebody leaves.", afterMs: 5000 }),
  idle: () => ({ title: "Paused", text: "No picture was sent for a while, so the place was given back.", afterMs: null }),
  stopped: () => ({ title: "The server was stopped", text: "The page connects again as soon as it is back.", afterMs: 3000 }),
  malformed: (message) => ({ title: "The server did not understand a picture", text: `${message}. Reload the page if this comes again.`, afterMs: 5000 }),
  flood: () => ({ title: "Too many messages", text: "The server closed the connection.", afterMs: 5000 }),
  failed: (message) => ({ title: "Something went wrong on the server", text: message, afterMs: 3000 }),
  refused: (message) => ({ title: "The server refused", text: message, afterMs: null }),
  no_webrtc: () => ({ title: "No WebRTC connection", text: "This network does not let one through; going back to single pictures.", afterMs: 500 }),
};

/** {title, text, afterMs} for what a link says on closing; `failures` in a row make the waits longer. */
export function reasonOf({ code, kind, message }, failures) {
  if (code === 1009) return { title: "The picture was too large", text: "Choose a lower resolution.", afterMs: 3000 };
  const known = REASONS[kind];
  if (known) return known(message);
  const afterMs = Math.min(10000, 500 * 2 ** Math.min(failures, 5));
  return { title: "The connection was lost", text: "The page connects again by itself as soon as the server answers.", afterMs };
}
