// Which screen is shown.

import { Voice } from "./parts/voice";
import { DeadEnd } from "./screens/dead-end";
import { Join } from "./screens/join";
import { Opening } from "./screens/opening";
import { Start } from "./screens/start";
import { TableScreen } from "./screens/table";
import { app } from "./session/app";
import { useStore } from "./ui/store";

export function Page() {
  return (
    <>
      <Voice />
      <Screen />
    </>
  );
}

function Screen() {
  const place = useStore(app.place);
  switch (place.at) {
    case "start":
      return <Start />;
    case "opening":
      return <Opening />;
    case "door":
      return <Join key={place.card.code} card={place.card} />;
    case "table":
      return <TableScreen key={place.session.sessionId} session={place.session} />;
    case "dead":
      return <DeadEnd code={place.code} session={place.session} />;
  }
}
