// Small sheets at their buttons (`details`) close by Escape or a tap elsewhere.

const opened = () => document.querySelectorAll<HTMLDetailsElement>("details[open]");

export function closePopups(): void {
  document.addEventListener("click", (event) => {
    for (const popup of opened()) if (!popup.contains(event.target as Node)) popup.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const popup of opened()) {
      // A drawer around it stays.
      event.preventDefault();
      popup.open = false;
      popup.querySelector("summary")?.focus();
    }
  }, true);
}
