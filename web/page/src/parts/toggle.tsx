// A switch with its label, and why one would turn it.

interface Props {
  label: string;
  hint?: string;
  isOn: boolean;
  onChange(isOn: boolean): void;
}

export function Toggle({ label, hint, isOn, onChange }: Props) {
  return (
    <label class="toggle">
      <span class="toggle-words">
        {label}
        {hint && <span class="hint">{hint}</span>}
      </span>
      <input type="checkbox" role="switch" checked={isOn} onChange={(event) => onChange(event.currentTarget.checked)} />
    </label>
  );
}
