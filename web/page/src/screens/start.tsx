// The start: open a session, or find one.

import { Brand } from "../parts/brand";
import { CreateForm } from "../parts/create-form";
import { JoinCode } from "../parts/join-code";
import { Recents } from "../parts/recents";
import { text } from "../text";

export function Start() {
  return (
    <div class="start">
      <header class="hero">
        <Brand />
        <p class="tagline">{text.tagline}</p>
      </header>
      <main class="start-main">
        <CreateForm />
        <div class="start-side">
          <JoinCode />
          <Recents />
        </div>
      </main>
    </div>
  );
}
