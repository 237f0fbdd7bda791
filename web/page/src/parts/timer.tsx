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
  return (
    <div class="timer" data-status={timer.status} data-short={timer.status === "running" && left <= 10}>
      <span class="timer-clock" role="timer" aria-label={text.timer}>
        <Icon name="clock" />
        <span class="timer-figures">{timer.status === "expired" ? text.timeUp : clockText(left)}</span>
      </span>
      {may && (
        <span class="timer-acts">
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
        </span>
      )}
    </div>
  );
}
