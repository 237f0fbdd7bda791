// Faces to choose from.

export const FACES = ["🦊", "🐻", "🐼", "🐨", "🦁", "🐸", "🐙", "🦉", "🐝", "🦋", "🐢", "🐳", "🌵", "🌻", "🍄", "🍋", "🍉", "🥑", "🚲", "⛵", "🎈", "🎧", "🪁", "👤"];

/** Any but the last, which is nobody. */
export const randomFace = (): string => {
  const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
  return FACES[random % (FACES.length - 1)] ?? "👤";
};
