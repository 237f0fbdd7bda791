// The clock of the round. It says the time to readers only when it matters;
// `session/speech` does that.

import { useSession, useView } from "../session/context";
import { text } from "../text";
import { Icon } from "../ui/icon";
import { clockText, useNow } from "../ui/now";

export function Timer() {
  const session = useSession();
  const { timer, can, settings, round } = useView();
  const localEnd = timer.status === "running" && timer.endsAt !== null ? timer.endsAt - session.clockOffset() : null;
  const now = useNow(localEnd);
  const left = localEnd === null ? Math.ceil(timer.remainingMs / 1_000) : Math.max(0, Math.ceil((localEnd - now) / 1_000));
  const may = can.timer;

  if (timer.status === "idle") {
    if (!may || round.phase === "revealed" || settings.timerSeconds === 0) return null;
    const length = clockText(settings.timerSeconds);
    return (
      <div class="timer">
        <button type="button" class="quiet" aria-label={text.startTimerFor(length)} onClick={() => void session.toggleTimer()}>
          <Icon name="clock" />
          <span class="timer-figures">{length}</span>
        </button>
      </div>
    );
  }
  const clock = (
    <>
      <Icon name="clock" />
      <span class="timer-figures">{timer.status === "expired" ? text.timeUp : clockText(left)}</span>
    </>
  );
  const isShort = timer.status === "expired" || left <= 10;
  if (!may) {
    return (
      <p class="timer timer-clock" data-short={isShort}>
        <span class="sr">{text.timer}</span>
        {clock}
      </p>
    );
  }
  return (
    <details class="timer popup" data-short={isShort}>
      <summary class="timer-clock">
        <span class="sr">{text.timer}</span>
        {clock}
      </summary>
      <div class="popup-sheet">
        {timer.status !== "expired" && (
          <button type="button" class="quiet" onClick={() => void session.toggleTimer()}>
            {timer.status === "running" ? text.pause : text.resume}
          </button>
        )}
        <button type="button" class="quiet" onClick={() => void session.extendTimer()}>
          {text.addMinute}
        </button>
        <button type="button" class="quiet" onClick={() => void session.stopTimer()}>
          {text.stop}
        </button>
      </div>
    </details>
  );
}
