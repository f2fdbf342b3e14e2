/** How long after the last key a text counts as typed. */
const typingPause = 350;

/**
 * Calls back when a reader has typed: after a pause, and at once when the field is left or its arrows are clicked.
 *
 * @returns forgets what has not been told yet
 */
export function whenTyped(input: HTMLInputElement | HTMLTextAreaElement, act: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(act, typingPause);
  });
  input.addEventListener("change", () => {
    clearTimeout(timer);
    act();
  });
  return () => clearTimeout(timer);
}

/** Shows a text in a field, unless the reader is typing in it. */
export function showTyped(input: HTMLInputElement | HTMLTextAreaElement, value: string): void {
  if (document.activeElement !== input && input.value !== value) input.value = value;
}
