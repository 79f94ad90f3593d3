// The keys of the program's window, where they make sense in a page.

/** actions: lower-case key -> what it does. Keys typed into a control, or with Ctrl, Alt or Meta, are left alone. */
export function bindKeys(actions) {
  document.addEventListener("keydown", (event) => {
    const action = actions[event.key.toLowerCase()];
    const typing = event.target.closest?.("input, select, textarea, button, summary");
    if (!action || typing || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    event.preventDefault();
    action();
  });
}
