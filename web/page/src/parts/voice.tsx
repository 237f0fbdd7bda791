// The live regions: there from the start, filled when something is said.

import { assertive, polite } from "../ui/speech";
import { useStore } from "../ui/store";

export function Voice() {
  const soon = useStore(polite);
  const now = useStore(assertive);
  return (
    <>
      <div class="sr" aria-live="polite" data-voice="polite">
        {soon}
      </div>
      <div class="sr" aria-live="assertive" data-voice="assertive">
        {now}
      </div>
    </>
  );
}
