/** The words of a story, as they are edited together. */
export interface StoryWords {
  title: string;
  description: string;
  key?: string;
  link?: string;
}
