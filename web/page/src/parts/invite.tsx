// How others find the table.

import { useEffect, useState } from "preact/hooks";

import { useView } from "../session/context";
import { inviteLink } from "../route";
import { text } from "../text";
import { Icon } from "../ui/icon";
import { Drawer } from "./drawer";
import { QrCode } from "./qr-code";

export function Invite() {
  const { code, settings } = useView();
  const link = inviteLink(code);
  const canShare = typeof navigator.share === "function";
  return (
    <Drawer title={text.invite} narrow>
      <p>{text.inviteHint}</p>
      <CopyRow label={text.link} value={link} act={text.copyLink} isPrimary />
      {canShare && (
        <button type="button" class="plain" onClick={() => void navigator.share({ title: settings.name, url: link }).catch(() => undefined)}>
          <Icon name="share" />
          {text.share}
        </button>
      )}
      <QrCode link={link} />
      <CopyRow label={text.orCode} value={code} act={text.copyCode} />
    </Drawer>
  );
}

function CopyRow({ label, value, act, isPrimary }: { label: string; value: string; act: string; isPrimary?: boolean }) {
  const [said, setSaid] = useState("");
  useEffect(() => {
    if (!said) return;
    const timeout = setTimeout(() => setSaid(""), 2_500);
    return () => clearTimeout(timeout);
  }, [said]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(value);
      setSaid(text.copied);
    } catch {
      setSaid(text.copyFailed);
    }
  };
  return (
    <div class="copy-row">
      <label class="field">
        <span>{label}</span>
        <input class="mono" readOnly value={value} onFocus={(event) => event.currentTarget.select()} />
      </label>
      <button type="button" class={isPrimary ? "primary" : "plain"} onClick={copy}>
        <Icon name={said === text.copied ? "check" : "copy"} />
        {said === text.copied ? text.copied : act}
      </button>
      <p class="hint" role="status">
        {said}
      </p>
    </div>
  );
}
