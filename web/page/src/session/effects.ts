// What a session does beyond its screens: voice, bell, title, wake lock.

import { text } from "../text";
import { ring } from "../ui/bell";
import { device } from "../ui/device";
import { say, sayNow } from "../ui/speech";
import { keepAwake } from "../ui/wake-lock";
import { headline } from "./advice";
import { narrate } from "./narrator";
import type { Session } from "./session";

/** When the timer is spoken of, in seconds before its end. */
const TOLD_AT = [60, 30, 10];
/** How long the page may be out of sight until its player counts as away. */
const AWAY_AFTER_MS = 60_000;

export function accompany(session: Session): () => void {
  let before = session.view.value;
  let link = session.link.value.status;
  let voters: string[] = [];

  const follow = () => {
    const after = session.view.value;
    const said = narrate(before, after);
    if (said.now !== null) {
      voters = [];
      sayNow(said.now);
    }
    for (const sentence of said.soon) say(() => sentence);
    if (said.voters.length > 0) {
      voters.push(...said.voters);
      say(() => {
        const names = voters.length > 0 ? voters : said.voters;
        voters = [];
        const { voteCount, eligibleCount } = session.view.value.round;
        return names.length === 1
          ? text.spoken.voted(names[0] ?? "", voteCount, eligibleCount)
          : text.spoken.votedMany(voteCount, eligibleCount);
      });
    }
    const isFull = ({ round }: typeof after) => round.phase === "voting" && 1 < round.eligibleCount && round.voteCount === round.eligibleCount;
    const isOver = before.timer.status === "running" && after.timer.status === "expired";
    if ((isFull(after) && !isFull(before)) || isOver) ring();
    before = after;
    title();
    awake();
    schedule();
  };

  const title = () => {
    const { round, settings } = session.view.value;
    document.title = round.consensus
      ? text.pageTitle.revealed(round.consensus.suggestedValue ?? headline(round.consensus), settings.name)
      : text.pageTitle.voting(round.voteCount, round.eligibleCount, settings.name);
  };

  const awake = () => void keepAwake(device.value.wakeLock && session.view.value.round.phase !== "revealed");

  let alarms: ReturnType<typeof setTimeout>[] = [];
  let told = "";
  /** The timer is spoken of at a few moments only. */
  const schedule = () => {
    const { timer } = session.view.value;
    const key = `${timer.status} ${timer.endsAt}`;
    if (key === told) return;
    told = key;
    alarms.forEach(clearTimeout);
    alarms = [];
    if (timer.status !== "running") return;
    for (const seconds of TOLD_AT) {
      const delay = session.table.remainingMs() - seconds * 1_000;
      if (delay > 500) alarms.push(setTimeout(() => say(() => text.spoken.timerLeft(seconds)), delay));
    }
  };

  const connection = () => {
    const { status } = session.link.value;
    if ((status === "online") !== (link === "online")) say(() => (status === "online" ? text.spoken.back : text.spoken.lost));
    if (status === "online" && link !== "online") void tell();
    link = status;
  };

  let leaving: ReturnType<typeof setTimeout> | undefined;
  let isAway = false;
  /** What is taken back as soon as it can be. */
  let wasToldAway = false;
  /** Without a connection nothing can be told; the next one may have forgotten it. */
  const tell = async () => {
    if (session.link.value.status !== "online") return;
    if (isAway) {
      wasToldAway = true;
      await session.setAway(true);
    } else if (wasToldAway && (await session.setAway(false))) wasToldAway = false;
  };
  const again = () => {
    clearTimeout(leaving);
    if (document.visibilityState === "visible") {
      awake();
      isAway = false;
      void tell();
    } else if (wasToldAway || !session.me().isAway) {
      leaving = setTimeout(() => {
        isAway = true;
        void tell();
      }, AWAY_AFTER_MS);
    }
  };
  document.addEventListener("visibilitychange", again);
  title();
  awake();
  schedule();
  const ends = [session.view.subscribe(follow), session.link.subscribe(connection), device.subscribe(awake)];
  return () => {
    document.removeEventListener("visibilitychange", again);
    for (const end of ends) end();
    clearTimeout(leaving);
    alarms.forEach(clearTimeout);
    void keepAwake(false);
    document.title = text.product;
  };
}
