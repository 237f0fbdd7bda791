// Faces to choose from.

export const FACES = ["🦊", "🐻", "🐼", "🐨", "🦁", "🐸", "🐙", "🦉", "🐝", "🦋", "🐢", "🐳", "🌵", "🌻", "🍄", "🍋", "🍉", "🥑", "🚲", "⛵", "🎈", "🎧", "🪁", "👤"];

export const randomFace = (): string => FACES[Math.floor(Math.random() * (FACES.length - 1))] ?? "👤";
